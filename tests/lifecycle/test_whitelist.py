"""The whitelist's life: a name is followed, its last good address is kept, and who is in a set by hand is found."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.container import kill, pid
from fixtures.minecraft import Player
from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.wait import wait
from fixtures.whitelist import held
from specs.whitelist import record, set_name

NAME, SET = "steward.example", set_name("players")
DECLARED, NAMED, OTHER = "203.0.113.1", "203.0.113.3", "203.0.113.5"  # visitor, laptop, phone
KEEPERS = {"host-whitelist": "host", "reverse-proxy-whitelist": "reverse-proxy-edge"}
SECONDS = 30.0  # a round, and a name that does not answer


@dataclass(frozen=True, kw_only=True)
class Zone:
    """What the lab's resolver answers, changed under its hands."""

    path: Path

    def says(self, address: str) -> None:
        self._write(json.dumps({"records": {NAME: address}}))

    def fails(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        self.path.write_text(text)  # in place: the container has this very file


@pytest.fixture
def zone(whole: Scratch) -> Iterator[Zone]:
    """In the end it answers as declared again, and is followed."""
    path = whole.instance.rendered / "resolver/etc-records.json"
    before = path.read_text()
    yield Zone(path=path)
    path.write_text(before)
    wait(lambda: settled(whole, {DECLARED, NAMED}), what="the declared records", seconds=SECONDS)


def settled(made: Scratch, addresses: set[str]) -> bool:
    return all(held(made.instance, node, SET) == addresses for node in KEEPERS.values())


def entry(made: Scratch) -> dict[str, Any]:
    """What is recorded of the name."""
    path = record(made.estate, made.instance)
    assert path is not None
    found: dict[str, Any] = json.loads(path.read_text())["names"][NAME]
    return found


def plays(made: Scratch, node: str) -> bool:
    try:
        return bool(Player(netns=named(made.netns(node)), address=str(made.estate.host.address)).status())
    except OSError:
        return False


def test_a_name_is_followed(whole: Scratch, zone: Zone) -> None:
    """Its new address may come, its old one no more; the declared one could all the while."""
    assert plays(whole, "laptop")
    assert not plays(whole, "phone")
    zone.says(OTHER)
    wait(lambda: settled(whole, {DECLARED, OTHER}), what="the new address in both sets", seconds=SECONDS)
    assert plays(whole, "phone")
    assert not plays(whole, "laptop")
    assert plays(whole, "visitor")
    assert [op for op in whole.plan() if " element " in op] == []


FAILURES: dict[str, Callable[[Zone], None]] = {
    "the server fails": lambda zone: zone.fails(),
    "inside": lambda zone: zone.says("192.168.1.1"),
    "of the loopback": lambda zone: zone.says("127.0.0.1"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_name_that_fails_keeps_its_last_good_address(whole: Scratch, zone: Zone, failure: str) -> None:
    """Also over a new start of who keeps it, which then has nothing but the record."""
    FAILURES[failure](zone)
    wait(lambda: entry(whole)["failed"], what="the failure recorded", seconds=SECONDS)
    assert entry(whole)["addresses"] == [NAMED]
    started = kill(whole.instance, "host-whitelist")
    asked = entry(whole)["asked"]
    wait(lambda: entry(whole)["asked"] > asked, what="asked again by the next start", seconds=SECONDS)
    assert pid(whole.instance, "host-whitelist") not in (0, started)
    assert settled(whole, {DECLARED, NAMED})
    assert plays(whole, "laptop")


@pytest.mark.parametrize("node", KEEPERS.values())
def test_element_by_hand_is_one_op(network: Scratch, node: str) -> None:
    """Nobody keeps the set here: the plan names who is too many and who lacks, and apply heals just that."""
    by_hand(network, node, "add", OTHER)
    assert network.plan() == [f"- element {node}: {SET} {OTHER}"]
    network.apply()
    assert network.plan() == []
    by_hand(network, node, "delete", DECLARED)
    assert network.plan() == [f"+ element {node}: {SET} {DECLARED}"]
    network.apply()
    assert network.plan() == []
    assert held(network.instance, node, SET) == {DECLARED}


def test_recorded_address_outlives_a_new_ruleset(network: Scratch) -> None:
    """Apply keeps what is recorded, in the ruleset's own transaction, and of that what is the internet's alone."""
    path = record(network.estate, network.instance)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    long_ago: dict[str, Any] = {"before": [], "since": 0}
    entries = {NAME: {"addresses": [NAMED, "192.168.1.3"]}, "nobody.example": {"addresses": [OTHER]}}
    path.write_text(json.dumps({"names": {name: entry | long_ago for name, entry in entries.items()}}))
    assert network.plan() == [f"+ element {node}: {SET} {NAMED}" for node in sorted(KEEPERS.values())]
    network.inside("host", "nft", "add", "rule", "inet", "pluto", "input", "tcp", "dport", "22", "accept")
    network.apply()
    assert held(network.instance, "host", SET) == {DECLARED, NAMED}
    assert network.plan() == []


def by_hand(made: Scratch, node: str, verb: str, address: str) -> None:
    made.inside(node, "nft", verb, "element", "inet", "pluto", SET, f"{{ {address} }}")
