"""Whitelists in the specs and in the maker: who is expected, where the record lies, what the sets must hold."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provision import health
from provision.diff_network import ActualNetworks
from provision.facts import actual
from provision.facts import whitelist as facts
from provision.facts.whitelist import Accepted
from provision.podman import Podman
from provision.survey import survey
from specs.instance import Instance
from specs.load import load
from specs.model import HOST, Estate, Profile
from specs.oracle import arrivals, internet
from specs.way import way
from specs.whitelist import SETTLES, expected, record, set_name

ESTATE = load()
EDGE = "reverse-proxy-edge"
VISITOR, LAPTOP = IPv4Address("203.0.113.1"), IPv4Address("203.0.113.3")
(GAME,) = (flow for flow in ESTATE.flows if flow.source_node == "players")
SET = set_name("players")


def with_addresses(*addresses: str) -> Estate:
    """The estate with a whitelist of these alone."""
    (listed,) = ESTATE.whitelists
    return replace(ESTATE, whitelists=(replace(listed, addresses=tuple(map(IPv4Address, addresses)), names=()),))


def test_who_is_expected() -> None:
    assert expected(ESTATE, "players") == {VISITOR, LAPTOP}
    assert expected(load(profile=Profile.METAL), "players") == {VISITOR}  # what a name means there, time will tell


def test_who_of_the_labs_internet_may_open_what() -> None:
    assert {end.node for end in internet(ESTATE, GAME)} == {"visitor", "laptop"}
    everybody = next(flow for flow in ESTATE.flows if flow.source_node == "wan")
    assert {end.node for end in internet(ESTATE, everybody)} == {"visitor", "laptop", "phone", "resolver"}


def test_a_whitelists_way_is_the_internets_with_the_list_at_each_hop() -> None:
    assert [(hop.node, hop.source, hop.whitelist) for hop in way(ESTATE, GAME).hops] == [
        (HOST, None, "players"),
        (EDGE, None, "players"),
    ]


def test_the_hosts_question_arrives_in_the_lab_and_is_nobodys_on_metal() -> None:
    asked = [(target, str(cell.address)) for cell, (target, flow) in arrivals(ESTATE).items() if cell.node == HOST
             and flow.target == "resolver"]  # fmt: skip
    assert asked == [("resolver", "198.51.100.3")]
    metal = arrivals(load(profile=Profile.METAL))
    assert not any(flow.source_node == HOST and flow.port.number == 53 for _, flow in metal.values())


def test_record_lies_in_its_keepers_volume() -> None:
    instance = Instance(name="unit")
    assert record(ESTATE, instance) == instance.home / "volumes/whitelist-record/record.json"
    nobody = tuple(replace(module, containers=()) for module in ESTATE.modules)
    assert record(replace(ESTATE, modules=nobody), instance) is None


def test_sets_hold_the_declared_and_the_recorded() -> None:
    recorded = {
        "steward.example": resolved(LAPTOP, IPv4Address("192.168.1.3")),
        "other.example": resolved(IPv4Address("192.0.2.1")),
    }
    for node in (HOST, EDGE):
        held = facts.wanted(ESTATE, node, recorded)
        assert held == {Accepted(name=SET, address=VISITOR), Accepted(name=SET, address=LAPTOP)}
    assert facts.wanted(ESTATE, "minecraft-server", recorded) == frozenset()
    assert facts.wanted(ESTATE, HOST, {}) == {Accepted(name=SET, address=VISITOR)}


def resolved(*addresses: IPv4Address, before: tuple[IPv4Address, ...] = ()) -> facts.Resolved:
    return facts.Resolved(addresses=addresses, before=before, since=1000.0)


def test_sets_are_given_the_moment_they_take_to_follow() -> None:
    """Neither the new address nor the one before it is drift; the declared and what is of the estate always are."""
    gone = IPv4Address("203.0.113.9")
    recorded = {"steward.example": resolved(LAPTOP, VISITOR, IPv4Address("192.168.1.3"), before=(gone,))}
    both = {Accepted(name=SET, address=LAPTOP), Accepted(name=SET, address=gone)}
    assert facts.settling(ESTATE, EDGE, recorded, now=1000.0 + SETTLES - 1) == both
    assert facts.settling(ESTATE, EDGE, recorded, now=1000.0 + SETTLES) == frozenset()
    assert facts.settling(ESTATE, EDGE, recorded, now=1000.0 - SETTLES) == frozenset()
    assert facts.settling(ESTATE, "minecraft-server", recorded, now=1000.0) == frozenset()


def test_ruleset_brings_them_along() -> None:
    held = {Accepted(name=SET, address=LAPTOP)}
    assert facts.carried("table x {}\n", held) == (
        "table x {}\nadd element inet pluto whitelist-players { 203.0.113.3 }\n"
    )


@pytest.mark.parametrize("text", ["", "3", "{}", '{"names": {"a": {"addresses": ["x"]}}}', '{"names": [1]}'])
def test_a_record_that_cannot_be_read_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    assert facts.recorded(tmp_path / "record.json") == {}
    assert facts.recorded(tmp_path / "absent.json") == {}
    assert facts.recorded(None) == {}


def test_record_is_read_after_the_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was recorded and let in between a survey's two readings is on its list: apply does not take him out."""
    instance = Instance(name="never", state=tmp_path)
    path = record(ESTATE, instance)
    assert path is not None
    path.parent.mkdir(parents=True)
    read_networks = actual.read_networks

    def kept_meanwhile(instance: Instance, keys: Mapping[str, Iterable[str]]) -> ActualNetworks:
        path.write_text(
            json.dumps({"names": {"steward.example": {"addresses": [str(LAPTOP)], "before": [], "since": 0}}})
        )
        return read_networks(instance, keys)

    monkeypatch.setattr(actual, "read_networks", kept_meanwhile)
    with Podman(instance) as podman:
        found = survey(ESTATE, instance, podman).declared.node(HOST)
    assert Accepted(name=SET, address=LAPTOP) in found.accepts


def test_game_is_asked_by_who_may_and_by_nobody_where_nobody_may() -> None:
    """An owner's own players are not in the lab: its health is then not asked, rather than found bad."""
    stream = ESTATE.container("reverse-proxy-stream")
    assert health.askable(ESTATE, stream)
    assert not health.askable(with_addresses("192.0.2.77"), stream)
    assert health.askable(with_addresses("192.0.2.77"), ESTATE.container(EDGE))  # the site is everybody's
