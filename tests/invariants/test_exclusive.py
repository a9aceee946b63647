"""What the specs give to one container alone, such as the pool of backups, no other container sees."""

from fixtures.judge.mount import exclusive
from fixtures.observe.evidence import Evidence
from fixtures.report.terminal import settle
from specs.model import Container, Estate


def test_exclusive_mounts(evidence: Evidence, estate: Estate, keeper: Container) -> None:
    settle(exclusive(evidence, estate, keeper))
