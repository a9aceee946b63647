"""One packet's way: accepted through NAT and back, and every way to die, each with what is said of it."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from specs.semantics.journey import End, Journey, Traveller
from tests.unit.small_world import (
    ACCEPT,
    ANSWERS,
    CLIENT,
    DEFAULT,
    DROP,
    GATEWAY,
    INSIDE,
    SERVER,
    TABLE,
    chain,
    meta,
    packet,
    payload,
    places,
    rule,
)


def dies(found: Journey, end: End, node: str) -> str:
    assert (found.end, found.node) == (end, node)
    return found.deciding.words if found.deciding is not None else found.why


def test_accepted_through_nat() -> None:
    traveller = Traveller(places())
    found = traveller.send("client", packet())
    assert [(hop.node, hop.enters, hop.leaves) for hop in found.hops] == [
        ("client", "", "out"),
        ("gateway", "out", "in"),
        ("server", "in", ""),
    ]
    assert found.end is End.ACCEPTED
    seen = {(step.hook, str(step.packet)) for hop in found.hops for step in hop.steps}
    assert ("prerouting", "tcp 192.0.2.0:40000 > 192.0.2.1:80 syn") in seen
    assert ("forward", "tcp 192.0.2.0:40000 > 10.0.0.1:8080 syn") in seen
    assert ("input", "tcp 10.0.0.0:40000 > 10.0.0.1:8080 syn") in seen
    assert traveller.answer(found) is None


def test_what_answers_it_dies() -> None:
    """Without the rule for answers the packet arrives all the same; nobody hears of it."""
    traveller = Traveller(places(tuple(each for each in GATEWAY if each is not ANSWERS)))
    found = traveller.send("client", packet())
    assert found.end is End.ACCEPTED
    lost = traveller.answer(found)
    assert lost is not None
    hop, step = lost
    assert (hop.node, step.hook, step.ruling.words) == ("gateway", "forward", "policy drop")
    assert str(step.packet) == "tcp 10.0.0.1:8080 > 192.0.2.0:40000 syn,ack"


@pytest.mark.parametrize("port", [81, 8080])
def test_for_nobody_behind_it(port: int) -> None:
    """The gateway itself has no input chain, so it accepts what NAT does not take."""
    assert Traveller(places()).send("client", packet(port=port)).node == "gateway"


def test_dropped_by_a_rule_and_by_a_policy() -> None:
    closed = (TABLE, chain("input"), rule("input", payload("tcp", "dport", 8080), DROP, comment="no"))
    assert dies(Traveller(places(server=closed)).send("client", packet()), End.DROPPED, "server") == (
        'tcp dport 8080 drop comment "no"'
    )
    shut = (TABLE, chain("input"))
    assert dies(Traveller(places(server=shut)).send("client", packet()), End.DROPPED, "server") == "policy drop"


def test_no_route() -> None:
    found = Traveller(places()).send("server", packet(to=IPv4Address("203.0.113.1")))
    assert dies(found, End.NO_ROUTE, "server") == "server has no route to 203.0.113.1"


def test_not_forwarded() -> None:
    said = dies(Traveller(places(forwards=False)).send("client", packet()), End.NOT_FORWARDED, "gateway")
    assert said == "10.0.0.1 is not gateway's, which passes nothing on"


def test_sources_that_are_not_believed() -> None:
    """rp_filter: routed out elsewhere, or nowhere; a martian: the namespace's own address, a loopback address."""
    traveller = Traveller(places())
    for source, said in (
        (SERVER, "rp_filter: 10.0.0.1 came in by out, and is routed out of in"),
        (IPv4Address("203.0.113.9"), "rp_filter: no route leads back to 203.0.113.9"),
        (IPv4Address("10.0.0.0"), "martian: 10.0.0.0 is gateway's own, and came in by out"),
        (IPv4Address("127.0.0.1"), "martian: a loopback address came in by out"),
    ):
        assert dies(traveller.send("client", packet(source=source)), End.DISBELIEVED, "gateway") == said


def test_nobody_at_the_wires_end() -> None:
    world = dict(places())
    del world["server"]
    assert "is not there or down" in dies(Traveller(world).send("client", packet()), End.NO_LINK, "gateway")
    world = dict(places())
    server = world["server"]
    other = replace(server.interfaces[0], addresses=(IPv4Address("10.0.0.9"),))
    for quiet in ({}, {"net.ipv4.conf.in.arp_ignore": "1"}):  # 10.0.0.1 is still a local address, on another interface
        world["server"] = replace(server, interfaces=(other,), sysctls=quiet)
        assert Traveller(world).send("client", packet()).arrives is not bool(quiet)
    assert "nobody answers for 10.0.0.1" in dies(Traveller(world).send("client", packet()), End.NO_LINK, "gateway")


def test_from_outside_of_all() -> None:
    traveller = Traveller(places())
    assert traveller.send("gateway", replace(packet(source=CLIENT), iif="out")).end is End.ACCEPTED
    assert traveller.send("nowhere", packet()).end is End.NO_NODE


def test_circles() -> None:
    """Two that send each other what is neither's."""
    world = dict(places(()))
    gateway, server = world["gateway"], world["server"]
    on = {f"net.ipv4.conf.{name}.forwarding": "1" for name in ("in", "out")}
    world["gateway"] = replace(gateway, sysctls=on, routes=(*gateway.routes, replace(DEFAULT, via=SERVER, ifname="in")))
    world["server"] = replace(server, sysctls=on, routes=(*server.routes, replace(DEFAULT, via=INSIDE, ifname="in")))
    assert Traveller(world).send("client", packet(to=IPv4Address("203.0.113.1"))).end is End.CIRCLES


def test_what_it_hangs_on_is_told() -> None:
    """A rate may drop it, and what is read nowhere may: both are taken not to, and said."""
    over = {"limit": {"rate": 1, "burst": 5, "per": "second", "inv": True}}
    limited = (TABLE, chain("input"), rule("input", over, DROP, handle=1), rule("input", ACCEPT, handle=2))
    found = Traveller(places(server=limited)).send("client", packet())
    assert found.end is End.ACCEPTED
    assert found.deciding is not None
    assert found.deciding.unless == ("limit rate over 1/second drop",)


def test_filters_see_what_nat_has_made_of_it() -> None:
    """Before -100 the address that was dialled, behind it the one it became."""
    for priority, daddr in ((-150, "192.0.2.1"), (-50, "10.0.0.1")):
        early = chain("prerouting-x", priority=priority, policy="accept")
        drop = rule("prerouting-x", payload("ip", "daddr", daddr), meta("iifname", "out"), DROP)
        assert Traveller(places((*GATEWAY, early, drop))).send("client", packet()).end is End.DROPPED
