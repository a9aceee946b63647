"""The semantics beside this machine's kernel: 200 generated rulesets, 20,000 packets and more, every recorded fact.

Everything happens in two network namespaces of the test's own (fixtures/fuzz/stage.py). Needs root.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.fuzz import case
from fixtures.fuzz.crew import compared
from fixtures.fuzz.differ import Tally, compare
from fixtures.fuzz.kernel import Batch, Kernel, Refused
from fixtures.fuzz.packet import Packet
from fixtures.fuzz.shrink import shrunk
from fixtures.fuzz.stage import stage
from fixtures.fuzz.tell import difference, line
from tests.unit.semantics.test_facts import FACTS

SEED, RULESETS, PACKETS = 5, 200, 20_000


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with stage() as built, Kernel(built) as one:
        yield one


def test_every_packet_has_the_verdict_that_the_kernel_gave_it(
    kernel: Kernel, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    tally = compared(SEED, range(RULESETS), workers=len(os.sched_getaffinity(0)))
    record_property("told", line(tally, seed=SEED, seconds=time.monotonic() - started))
    for found in tally.differences[:1]:
        pytest.fail(difference(kernel, found), pytrace=False)
    assert tally.rulesets == RULESETS, tally.refused
    assert tally.compared >= PACKETS
    assert min(tally.shares) >= 0.3
    assert tally.lost == 0
    assert tally.coverage.one_sided() == []


@pytest.mark.parametrize("name", FACTS)
def test_fact_holds_on_this_kernel(kernel: Kernel, name: str) -> None:
    told, before = case.load(FACTS[name]), case.recorded(FACTS[name])
    batch = case.judged(told, kernel)
    assert case.outcomes(batch, told.packets) == told.expected
    assert batch.doubted == before.doubted  # by the round trip of nft's listing: these rules and no other


class Deaf(Kernel):
    """Tells the truth about packets, and a listing without a rule's ports: as if the semantics did not know of them."""

    def judge(
        self, ruleset: str, packets: Sequence[Packet], *, tracks: bool, doubts: bool = False, rp_filter: int = 0
    ) -> Batch:
        batch = super().judge(ruleset, packets, tracks=tracks, doubts=doubts, rp_filter=rp_filter)
        return replace(batch, listing=tuple(without_ports(one) for one in batch.listing))


def without_ports(listed: dict[str, Any]) -> dict[str, Any]:
    if "rule" not in listed:
        return listed
    kept = [one for one in listed["rule"]["expr"] if "'dport'" not in str(one.get("match"))]
    return {"rule": {**listed["rule"], "expr": kept}}


def test_a_wrong_semantics_is_seen_and_its_case_made_small_and_kept(tmp_path: Path) -> None:
    tally = Tally()
    with stage() as built, Deaf(built) as deaf:
        for _ in compare(deaf, SEED, range(4), tally):
            pass
        assert tally.differences
        small, _ = shrunk(deaf, tally.differences[0])
        told = difference(deaf, tally.differences[0], tmp_path)
        [path] = case.cases(tmp_path).values()
        kept = case.load(path)
        assert case.outcomes(case.judged(kept, deaf), kept.packets) == kept.expected
    rules = [rule.text() for rule in small.ruleset.rules()]
    assert len(rules) <= 2
    assert any("dport" in rule for rule in rules)
    assert f"--seed {SEED} --first {tally.differences[0].number} --rulesets 1" in told
    assert case.outcomes(case.recorded(path), kept.packets) == kept.expected


def test_a_ruleset_that_nft_refuses_is_told_from_one_that_drops(kernel: Kernel) -> None:
    with pytest.raises(Refused, match="syntax error"):
        kernel.judge("table inet t { nonsense }", [], tracks=False)


def test_lost_packets_are_not_taken_for_dropped(kernel: Kernel) -> None:
    """IPv6 from the loopback address is thrown away before any hook (net/ipv6/ip6_input.c, ip6_rcv_core)."""
    seen = case.load(FACTS["ipv6-own-addresses"]).packets[0]
    batch = kernel.judge("", [replace(seen, source=1)], tracks=False)
    assert case.outcomes(batch, [seen]) == ("lost",)
