"""Exactly the declared links, with the right peers, names and addresses; no other interface anywhere."""

from fixtures.judge import link as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.model import Estate, Link
from specs.topology import Node


def test_link(evidence: Evidence, link: Link) -> None:
    settle(judge.link(evidence, link))


def test_interfaces(evidence: Evidence, node: Node) -> None:
    settle(judge.interface(evidence, node))


def test_networkless(evidence: Evidence, isolated: Node) -> None:
    settle(judge.networkless(evidence, isolated))


def test_no_wire_leads_out(evidence: Evidence, estate: Estate) -> None:
    settle(judge.machine(evidence, estate))
