"""The theorem: of every ordered pair, no packet gets through but what the flows declare, by the kernel's own rules."""

from collections.abc import Callable

import pytest

from fixtures.estate import estate_of
from fixtures.judge import proof as judge
from fixtures.judge.proof import Proved, replayable
from fixtures.probe.matrix import Result
from fixtures.proof.replay import fire
from fixtures.proof.sample import dark
from fixtures.report.terminal import settle
from specs.instance import Instance
from specs.model import Estate
from specs.semantics.prove import every_pair

DARK = (Result.DARK, Result.REFUSED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "proven" in metafunc.fixturenames:
        pairs = every_pair(estate_of(metafunc.config))
        metafunc.parametrize("proven", pairs, ids=map(":".join, pairs))


def test_proof(proof: Proved, proven: tuple[str, str]) -> None:
    settle(judge.pair(proof, *proven))


def test_flows(proof: Proved) -> None:
    settle(judge.flows(proof))


def test_every_rule_is_read(proof: Proved, record_property: Callable[[str, object], None]) -> None:
    record_property("told", f"the proof: {proof.seconds:.2f} s of the processor's time, compiling included")
    assert proof.proof.unread == ()


def test_violations_are_accepted_live(proof: Proved, estate: Estate, instance: Instance) -> None:
    """A packet that the proof calls accepted is; where it is not, model and kernel disagree."""
    witnesses = replayable(proof)
    shots = fire(proof.world, estate, instance, [(each.sent, each.packet) for each in witnesses]) if witnesses else ()
    for witness, shot in zip(witnesses, shots, strict=True):
        assert shot.accepted_by(witness.taken[0]), f"model and kernel disagree: {witness}: {shot.finding}"


def test_dark_cells_are_dark_live(proof: Proved, estate: Estate, instance: Instance) -> None:
    """A sample of what is proved dark, another each run; its seed is in the message."""
    seed = int(proof.taken.encode().hex(), 16) % 2**32
    orders = dark(proof.world, estate, count=300, seed=seed)
    assert len(orders) == 300
    for shot in fire(proof.world, estate, instance, orders):
        assert shot.finding.result in DARK, f"seed {seed}: {shot.packet} sent by {shot.sent}: {shot.finding}"
