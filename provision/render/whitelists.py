"""Estate -> what the whitelists' keeper needs to be told, as JSON: whom it asks, and who is on which list."""

from __future__ import annotations

import json

from specs.guard import Effect, guards
from specs.model import HOST, Container, Estate
from specs.whitelist import RECORD, RECORD_AT


def render(estate: Estate, container: Container) -> str:
    """The file of a sidecar that keeps the sets of the namespace it shares; the host's alone asks a resolver.

    Raises ValueError when there is no accept set in that namespace: it would have nothing to do.
    """
    node = container.shares or container.name
    listed = {
        guard.name: estate.whitelist(guard.whitelist) for guard in guards(estate, node) if guard.effect is Effect.ACCEPT
    }
    if not listed:
        raise ValueError(f"no whitelist stands in the namespace of {node}: {container.name} would have nothing to do")
    told = {
        "resolver": str(estate.host.resolver) if node == HOST and estate.host.resolver is not None else None,
        "record": str(RECORD_AT / RECORD),
        "inside": [str(network) for network in sorted(estate.inside)],
        "sets": {
            name: {"addresses": [str(each) for each in one.addresses], "names": list(one.names)}
            for name, one in sorted(listed.items())
        },
    }
    return json.dumps(told, indent=1) + "\n"
