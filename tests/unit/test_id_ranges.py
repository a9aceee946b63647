from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path

import pytest

from provision import idrange
from provision.errors import HostError
from specs.instance import Instance

NAMES = [f"container-{n}" for n in range(200)]


def test_ranges_of_one_instance_do_not_overlap() -> None:
    bases = sorted(found.base for found in idrange.ranges(0, NAMES).values())
    assert all(after - before >= idrange.RANGE_SIZE for before, after in pairwise(bases))


def test_all_ranges_of_all_slots_are_disjoint_and_valid() -> None:
    spans = [
        (found.base, found.base + found.size)
        for slot in range(idrange.SLOTS)
        for found in idrange.ranges(slot, [f"c{n}" for n in range(idrange.RANGES)]).values()
    ]
    assert len(set(spans)) == idrange.SLOTS * idrange.RANGES
    assert min(spans)[0] >= 2**31
    assert max(spans)[1] < 2**32 - 1  # 2**32 - 1 is no id


def test_ranges_do_not_depend_on_the_order_of_names() -> None:
    assert idrange.ranges(3, NAMES) == idrange.ranges(3, reversed(NAMES))


def test_one_more_container_moves_few_others() -> None:
    before, after = idrange.ranges(0, NAMES), idrange.ranges(0, [*NAMES, "one-more"])
    assert sum(before[name] != after[name] for name in NAMES) <= 1


def test_too_many_containers() -> None:
    with pytest.raises(HostError, match="no more id ranges"):
        idrange.ranges(0, [f"c{n}" for n in range(idrange.RANGES + 1)])


def test_outside() -> None:
    assert idrange.IdRange(base=2**31).outside(1000) == 2**31 + 1000
    with pytest.raises(ValueError, match="outside 0"):
        idrange.IdRange(base=2**31).outside(65536)


def test_slots_are_claimed_once_and_given_back(tmp_path: Path) -> None:
    one, two, three = (Instance(name=name, state=tmp_path) for name in ("one", "two", "three"))
    assert idrange.slot(one) == 0
    assert not one.home.exists()  # asking claims nothing
    assert [idrange.claim(one), idrange.claim(two), idrange.claim(one)] == [0, 1, 0]
    idrange.release(one)
    assert [idrange.claim(three), idrange.claim(two)] == [0, 1]


def test_no_slot_left(tmp_path: Path) -> None:
    for n in range(idrange.SLOTS):
        idrange.claim(Instance(name=f"i{n}", state=tmp_path))
    with pytest.raises(HostError, match="all 32 instance slots are taken"):
        idrange.claim(Instance(name="late", state=tmp_path))


def test_slots_do_not_overlap() -> None:
    for one, other in combinations(range(idrange.SLOTS), 2):
        assert not set(idrange.ranges(one, NAMES[:20]).values()) & set(idrange.ranges(other, NAMES[:20]).values())
