"""Estate -> what a name server of the lab's world answers, as JSON: each name's address."""

from __future__ import annotations

import json

from specs.model import Container, Estate


def render(estate: Estate, container: Container) -> str:
    """The records of the node `container` stands in."""
    node = next(node for node in estate.world.nodes if node.name == container.name)
    return json.dumps({"records": {name: str(address) for name, address in node.records}}, indent=1) + "\n"
