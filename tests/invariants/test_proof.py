"""The theorem: of every ordered pair, no packet gets through but what the flows declare, by the kernel's own rules."""

import pytest

from fixtures.estate import estate_of
from fixtures.judge import proof as judge
from fixtures.judge.proof import Proved
from fixtures.report.terminal import settle
from specs.semantics.prove import every_pair


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "proven" in metafunc.fixturenames:
        pairs = every_pair(estate_of(metafunc.config))
        metafunc.parametrize("proven", pairs, ids=map(":".join, pairs))


def test_proof(proof: Proved, proven: tuple[str, str]) -> None:
    settle(judge.pair(proof, *proven))


def test_flows(proof: Proved) -> None:
    settle(judge.flows(proof))


def test_every_rule_is_read(proof: Proved) -> None:
    assert proof.proof.unread == ()
