"""Every fault is found by the proof: by a packet that the kernel then accepts, or as unproven by name; never proved."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid

import pytest

from fixtures.judge.proof import proved, replayable
from fixtures.observe.capture import capture, retake
from fixtures.observe.evidence import Evidence
from fixtures.proof.replay import fire, ride
from fixtures.scratch import Scratch, bare, scratch
from specs.semantics.prove import Outcome, Proof
from tests.sabotage.proof_faults import FAULTS, Fault


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    with scratch(bare(tmp_path_factory.mktemp("faults") / "estate")) as found:
        found.apply()
        yield found


@pytest.fixture(scope="module")
def sound(made: Scratch) -> Evidence:
    return capture(made.estate, made.instance, ignore=getpid())


@contextmanager
def injected(made: Scratch, fault: Fault) -> Iterator[None]:
    """The fault done, and undone."""
    whole = {node: made.inside(node, "nft", "list", "ruleset") for node in fault.nodes}
    try:
        for line in fault.lines:
            _do(made, fault.node, line)
        yield
    finally:
        for line in fault.undo:
            _do(made, fault.node, line)
        for node, text in whole.items():
            made.inside(node, "nft", f"flush ruleset; {text}")


def _do(made: Scratch, node: str, line: str) -> None:
    if line.startswith("@"):
        node, _, line = line[1:].partition(" ")
    program, _, rest = line.partition(" ")
    for each in ("lbmt-shop",):
        rest = rest.replace(f"{{{each}}}", made.netns(each))
    made.inside(node, program, *([rest] if program == "nft" else rest.split()))


def test_the_sound_estate_is_proved(made: Scratch, sound: Evidence) -> None:
    assert proved(sound, made.estate).proof.holds


@pytest.mark.parametrize("name", FAULTS)
def test_fault(made: Scratch, sound: Evidence, name: str) -> None:
    fault = FAULTS[name]
    with injected(made, fault):
        seen = retake(sound, made.estate, made.instance, *map(made.netns, fault.nodes))
        found = proved(seen, made.estate)
        if fault.unproven:
            assert fault.unproven in blamed(found.proof)
            return
        told = [each for each in found.proof.findings if each.outcome is Outcome.VIOLATED]
        assert told, f"not found: {found.proof.findings}"
        witnesses = replayable(found)
        if not witnesses:
            (shown, *_) = [each.witness for each in told if each.witness]
            shot = ride(found.world, made.estate, made.instance, shown)
            assert shot.accepted_by(shown.taken[0]), f"{shown}: {shot.finding}"
            return
        shots = fire(found.world, made.estate, made.instance, [(each.sent, each.packet) for each in witnesses])
        for witness, shot in zip(witnesses, shots, strict=True):
            assert shot.accepted_by(witness.taken[0]), f"{witness}: {shot.finding}"
        assert shots


def test_enough_of_them_are_shown_by_a_packet() -> None:
    """At least nine of ten; each other one is named beforehand."""
    shown = [fault for fault in FAULTS.values() if not fault.unproven]
    assert len(FAULTS) >= 30
    assert len(shown) >= 0.9 * len(FAULTS)


def blamed(proof: Proof) -> str:
    unsure = [each for each in proof.findings if each.outcome is Outcome.UNPROVEN]
    return "; ".join(told for each in unsure for told in each.blame)
