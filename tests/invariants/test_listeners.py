"""Nothing listens but the declared services."""

from fixtures.clients import Client
from fixtures.judge import listener as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.model import WAN, Estate
from specs.topology import Node


def test_listeners(evidence: Evidence, estate: Estate, node: Node) -> None:
    settle(judge.listener(evidence, estate, node))


def test_site_as_ss_tells_it(client: Client, estate: Estate) -> None:
    """A second opinion on our own reader, by ss(8): the WAN's ports are open on the edge, not on the host."""
    opened = [flow for flow in estate.flows if flow.target == estate.site.edge and flow.source_node == WAN]
    assert opened
    for flow in opened:
        end = estate.link(flow.link).end(flow.target)
        assert client(flow.target).socket(f"{flow.port.protocol}://{end.address}:{flow.port.number}").is_listening
    listening = client("host").socket.get_listening_sockets()
    assert [each for each in listening if not each.startswith("unix:///")] == []  # a path is of a file system
