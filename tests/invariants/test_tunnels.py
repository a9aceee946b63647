"""The tunnel's ends hold the declared peers, each for its own address alone, whoever keeps the device."""

from fixtures.judge import tunnel as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.model import Estate
from specs.topology import Node


def test_tunnel(evidence: Evidence, estate: Estate, tunnelled: Node) -> None:
    settle(judge.tunnel(evidence, estate, tunnelled))
