"""Live rules against the flows, accept by accept and NAT by NAT, both ways."""

from fixtures.judge import ruleset as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.model import Estate
from specs.topology import Node


def test_ruleset(evidence: Evidence, estate: Estate, node: Node) -> None:
    settle(judge.rulesets(evidence, estate, node))
