"""Nothing undeclared: no namespace, no second name for one, no process in one."""

from fixtures.judge import undeclared as judge
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.model import Estate


def test_no_undeclared_namespace(evidence: Evidence, estate: Estate) -> None:
    settle(judge.namespaces(evidence, estate))


def test_no_undeclared_process(evidence: Evidence, estate: Estate) -> None:
    settle(judge.processes(evidence, estate))
