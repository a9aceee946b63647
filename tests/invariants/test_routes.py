"""Exactly the declared addresses and routes, in every table, and no policy rule."""

from fixtures.judge import route as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.topology import Node


def test_addresses(evidence: Evidence, node: Node) -> None:
    settle(judge.address(evidence, node))


def test_routes(evidence: Evidence, node: Node) -> None:
    settle(judge.route(evidence, node))


def test_rules(evidence: Evidence, node: Node) -> None:
    settle(judge.rule(evidence, node))
