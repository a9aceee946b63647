"""The kernel forwards, answers and believes as declared; IPv6 is off."""

from fixtures.clients import Client
from fixtures.judge import sysctl as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.topology import Node


def test_sysctls(evidence: Evidence, node: Node) -> None:
    settle(judge.sysctl(evidence, node))


def test_forwarding_as_sysctl_tells_it(client: Client, evidence: Evidence) -> None:
    """A second opinion on our own reader, by sysctl(8), where it matters most."""
    for name, forwards in (("host", 1), ("reverse-proxy-edge", 0)):
        place = evidence.namespace_of(name)
        assert place is not None
        assert client(name).sysctl("net.ipv4.ip_forward") == forwards == int(place.sysctls["net.ipv4.ip_forward"])
