"""README says where the services are: each address and port it names is one that somebody may reach."""

import re
from pathlib import Path

from specs.load import DEFAULT_FOLDER, load

README = Path(__file__).parents[2] / "README.md"
SOCKET = re.compile(r"\b(10(?:\.\d+){3})(?::|`, port )(\d+)")


def test_every_address_is_declared() -> None:
    estate = load(DEFAULT_FOLDER)
    declared = {
        (str(end.address), str(flow.port.number))
        for flow in estate.flows
        for link in estate.links
        for end in link.endpoints
        if end.node == flow.target
    }
    named = set(SOCKET.findall(README.read_text()))
    assert len(named) > 5
    assert named - declared == set()
