"""Nodes, ways and the oracle of the small estate, written out by hand."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from specs.load import load
from specs.model import Estate, Profile
from specs.oracle import arrivals, pairs, ports
from specs.topology import DEFAULT, Kind, Node, Route, edges, nodes
from specs.way import Hop, way

GOOD = Path(__file__).parent / "good"
UPLINK = IPv4Address("192.168.1.1")


@pytest.fixture(scope="module")
def estate() -> Estate:
    return load(GOOD)


def node(estate: Estate, name: str) -> Node:
    (found,) = [node for node in nodes(estate) if node.name == name]
    return found


def test_kinds(estate: Estate) -> None:
    assert {node.name: str(node.kind) for node in nodes(estate)} == {
        "host": "host", "door": "edge", "gate": "edge", "page": "leaf", "game": "leaf", "vault": "leaf",
        "vault-backup": "isolated", "router": "world", "wan": "world", "laptop": "peer", "phone": "peer",
    }  # fmt: skip
    assert set(edges(estate)) == {"door", "gate"}


def test_a_sidecar_is_no_node(estate: Estate) -> None:
    assert "door-stream" not in {node.name for node in nodes(estate)}


def test_a_leaf_has_its_pair_and_no_route(estate: Estate) -> None:
    page = node(estate, "page")
    assert [str(end.interface) for end in page.endpoints] == ["172.16.1.1/31"]
    assert (page.routes, page.forwards, page.tunnel) == ((), False, None)


def test_only_host_hub_router_and_wan_forward(estate: Estate) -> None:
    assert {node.name for node in nodes(estate) if node.forwards} == {"host", "gate", "router", "wan"}


def test_routes(estate: Estate) -> None:
    via = IPv4Address
    assert node(estate, "host").routes == (Route(destination=DEFAULT, via=via("192.168.1.0"), ifname="eth0"),)
    assert node(estate, "door").routes == (Route(destination=DEFAULT, via=via("192.168.100.0"), ifname="host-pub"),)
    assert node(estate, "wan").routes == (
        Route(destination=IPv4Network("192.168.1.0/24"), via=via("198.51.100.1"), ifname="wan-router"),
    )
    assert node(estate, "laptop").routes == (
        Route(destination=DEFAULT, via=via("203.0.113.2"), ifname="wan-laptop"),
        Route(destination=IPv4Network("10.1.1.0/31"), via=None, ifname="wg0"),
    )


def test_the_tunnel_has_an_end_in_the_hub_and_each_peer(estate: Estate) -> None:
    ends = {node.name: str(node.tunnel) for node in nodes(estate) if node.tunnel}
    assert ends == {"gate": "10.100.0.1/24", "laptop": "10.100.0.2/24", "phone": "10.100.0.3/24"}


def test_on_metal_the_uplink_is_the_machines_own() -> None:
    metal = load(GOOD, Profile.METAL)
    assert node(metal, "host").routes == ()
    assert not [node for node in nodes(metal) if node.kind in (Kind.PEER, Kind.WORLD)]
    assert pairs(metal) == ()


def hops(estate: Estate, flow: str) -> tuple[Hop, ...]:
    (found,) = [one for one in estate.flows if str(one) == flow]
    return way(estate, found).hops


def test_from_the_wan_the_host_changes_the_destination_alone(estate: Estate) -> None:
    door = IPv4Address("192.168.100.1")
    assert hops(estate, "wan -> door tcp/443") == (
        Hop(node="host", enters="eth0", leaves="host-pub", source=None, destination=door, dnat=door),
        Hop(node="door", enters="host-pub", leaves=None, source=None, destination=door),
    )


def test_from_a_peer_the_hub_masquerades(estate: Estate) -> None:
    peer, hub, vault = map(IPv4Address, ("10.100.0.2", "10.1.1.0", "10.1.1.1"))
    assert hops(estate, "laptop -> vault tcp/2222") == (
        Hop(node="gate", enters="wg0", leaves="priv-vault", source=peer, destination=vault, masquerade=True),
        Hop(node="vault", enters="priv-vault", leaves=None, source=hub, destination=vault),
    )


def test_neighbours_go_straight(estate: Estate) -> None:
    door, page = map(IPv4Address, ("172.16.1.0", "172.16.1.1"))
    assert hops(estate, "door -> page tcp/8080") == (
        Hop(node="door", enters=None, leaves="pub-page", source=door, destination=page),
        Hop(node="page", enters="pub-page", leaves=None, source=door, destination=page),
    )


def test_out_to_the_wan_the_host_masquerades() -> None:
    door = IPv4Address("192.168.100.1")
    assert hops(load(GOOD, Profile.METAL), "door -> wan tcp/443") == (
        Hop(node="door", enters=None, leaves="host-pub", source=door, destination=None),
        Hop(node="host", enters="host-pub", leaves="eth0", source=door, destination=None, masquerade=True),
    )


def test_the_oracle_allows_this_and_nothing_else(estate: Estate) -> None:
    allowed = {
        f"{cell.node} {cell.ifname} {cell.address} {cell.port} -> {target}"
        for cell, (target, _) in arrivals(estate).items()
    }
    from_wan = {f"{peer} wan-{peer} {UPLINK} {port}" for peer in ("laptop", "phone")
                for port in ("tcp/443 -> door", "tcp/25565 -> door", "udp/51820 -> gate")}  # fmt: skip
    assert allowed == from_wan | {
        "door pub-page 172.16.1.1 tcp/8080 -> page",
        "door pub-game 172.16.2.1 tcp/25565 -> game",
        "laptop wg0 10.1.1.1 tcp/2222 -> vault",
    }
    assert " ".join(map(str, ports(estate))) == "tcp/443 tcp/2222 tcp/8080 tcp/25565 udp/51820"


def test_on_metal_nobody_of_ours_accepts_what_goes_out() -> None:
    metal = load(GOOD, Profile.METAL)
    assert {target for target, _ in arrivals(metal).values()} == {"page", "game"}


def test_pairs(estate: Estate) -> None:
    judged = pairs(estate)
    assert len(judged) == len(set(judged)) == 70  # 9 nodes: all ordered pairs but router -> laptop, phone
    assert not [pair for pair in judged if {"wan", "vault-backup"} & set(pair)]
    assert {("laptop", "phone"), ("page", "game"), ("router", "host"), ("page", "router")} <= set(judged)
