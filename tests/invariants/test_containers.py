"""Containers as the kernel has them: where they run, as whom, with which rights, limits and mounts."""

from fixtures.judge import container as judge
from fixtures.judge.mount import mounts
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.instance import Instance
from specs.model import Container, Estate


def test_container(evidence: Evidence, estate: Estate, container: Container) -> None:
    settle(judge.container(evidence, estate, container))


def test_mounts(evidence: Evidence, estate: Estate, instance: Instance, defined: Container) -> None:
    settle(mounts(evidence, estate, instance, defined))


def test_id_ranges(evidence: Evidence, estate: Estate) -> None:
    settle(judge.id_ranges(evidence, estate))


def test_no_undeclared_container(evidence: Evidence, estate: Estate) -> None:
    settle(judge.undeclared(evidence, estate))
