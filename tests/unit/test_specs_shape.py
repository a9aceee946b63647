"""The model's values: frozen, hashable, the same whatever the order of the YAML; and what no input may do."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml

from specs import model, oracle, problems, topology, way
from specs.load import DEFAULT_FOLDER, load
from specs.model import Estate, Profile
from specs.problems import SpecError

GOOD = Path(__file__).parent / "good"
ORDERED = {"entrypoint", "methods", "pinned", "put", "render"}  # lists whose order says something
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 0.5, "", " ", "x", "host", "wan", "a", "peers", "yes", "../..", "/", "a\nb",
    "\x7f", "0.0.0.0/0", "172.16.1.0", "a -> b tcp/1", "wan -> wan tcp/1", "peers -> wan udp/9", "page 10.9.9.9", [],
    {}, [[]], [None], {"x": {}}, {"": ""}, {"1": 1}, ["x", "x"], [{}], "é" * 300,
)  # fmt: skip


def classes() -> Iterator[type]:
    for module in (model, oracle, problems, topology, way):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and dataclasses.is_dataclass(value):
                yield value


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_frozen(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert kind.__hash__ is not None


def test_no_enum_speaks_anything_but_words() -> None:
    enums = [v for v in vars(model).values() if isinstance(v, type) and issubclass(v, StrEnum) and v is not StrEnum]
    assert len(enums) >= 6
    for enum in enums:
        assert all(str(member) == member.value for member in enum)


@pytest.mark.parametrize("profile", Profile)
def test_an_estate_is_a_value(profile: Profile) -> None:
    one, other = load(profile=profile), load(profile=profile)
    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "another"  # type: ignore[misc]


def shuffled(value: Any, chance: random.Random, key: str = "") -> Any:
    if isinstance(value, dict):
        pairs = [(name, shuffled(inner, chance, name)) for name, inner in value.items()]
        return dict(chance.sample(pairs, len(pairs)))
    if isinstance(value, list):
        items = [shuffled(inner, chance) for inner in value]
        return items if key in ORDERED else chance.sample(items, len(items))
    return value


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_yaml_is_irrelevant(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = shutil.copytree(DEFAULT_FOLDER, tmp_path / "estate")
    for file in folder.rglob("*.yaml"):
        said = yaml.safe_load(file.read_text())
        file.write_text(yaml.safe_dump(shuffled(said, chance), sort_keys=False, width=1000))
    bare = [dataclasses.replace(estate, folder="") for estate in (load(), load(folder))]
    assert bare[0] == bare[1]
    assert hash(bare[0]) == hash(bare[1])
    assert repr(bare[0]) != repr(bare[1])  # the places differ, and they alone


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) in it."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def broken(said: Any, chance: random.Random) -> None:
    holder, key = chance.choice(places(said))
    match chance.randrange(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(["", "x", "links", "Ä", "a b", "host"])] = holder.pop(key)
        case _:
            holder[key] = chance.choice(ODD)


@pytest.mark.parametrize("seed", range(150))
def test_no_input_does_more_than_be_refused(tmp_path: Path, seed: int) -> None:
    """A value replaced, dropped or renamed: it loads, and all that is asked of it holds, or it is a SpecError."""
    chance = random.Random(seed)
    folder = shutil.copytree(GOOD, tmp_path / "estate")
    file = chance.choice(sorted(folder.rglob("*.yaml")))
    said = yaml.safe_load(file.read_text())
    for _ in range(chance.randint(1, 2)):
        broken(said, chance)
    file.write_text(yaml.safe_dump(said))
    for profile in Profile:
        try:
            estate = load(folder, profile)
        except SpecError:
            continue
        holds(estate)


def holds(estate: Estate) -> None:
    """What is true of every estate that loads."""
    around = {node.name: node for node in topology.nodes(estate)}
    assert len(around) == len(topology.nodes(estate))
    assert len({link.ifname for link in estate.wires}) == len(estate.wires)
    assert len({end.address for link in estate.links for end in link.endpoints}) == 2 * len(estate.links)
    for found in way.ways(estate):
        assert [hop.enters for hop in found.hops][1:] == [hop.leaves for hop in found.hops][:-1] or len(found.hops) == 2
        assert all(hop.node in around for hop in found.hops)
    for cell, (target, flow) in oracle.arrivals(estate).items():
        own = {end.ifname for end in around[cell.node].endpoints}
        assert cell.ifname in own | {estate.tunnel.ifname}
        assert target == flow.target
    assert set(oracle.pairs(estate)) <= {(one, other) for one in around for other in around if one != other}
