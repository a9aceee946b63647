"""Judges on evidence that is as declared but for one thing: the right invariant must name it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fixtures.judge.everything import everything
from fixtures.observe.address import Address
from fixtures.observe.container import Span
from fixtures.observe.evidence import Bound, Evidence, Foreign, Namespace
from fixtures.observe.link import IFF_UP, Interface
from fixtures.observe.neighbour import Neighbour
from fixtures.observe.process import Process
from fixtures.observe.qdisc import Qdisc
from fixtures.observe.route import Route
from fixtures.observe.rule import Rule
from fixtures.observe.socket import Listener
from fixtures.verdict import Outcome, against
from tests.unit.ideal import ESTATE, INSTANCE, ideal

VETH = Interface(index=90, name="veth9", kind="veth", altnames=(), mtu=1500, flags=IFF_UP, master=0, peer=None,
                 peer_index=91, xdp=False)  # fmt: skip
LEAK = Route(table="77", kind="unicast", destination="0.0.0.0/0", via="172.16.4.0", ifname="pub-git-web", more=())
BY_SOURCE = Rule(family="inet", priority=100, table="77", match=("src=10.0.0.1",))
SHELL = Process(pid=77, parent=1, name="sh", command=("sh",), netns=(1002,), userns=1)


def add(node: str, **things: Any) -> Callable[[Evidence], Evidence]:
    """Evidence with more of something in one namespace."""

    def broken(seen: Evidence) -> Evidence:
        return _in(seen, node, lambda place: _longer(place, things))

    return broken


def wire(node: str, name: str, **fields: Any) -> Callable[[Evidence], Evidence]:
    """Evidence with one interface that is otherwise."""

    def broken(seen: Evidence) -> Evidence:
        def changed(place: Namespace) -> Namespace:
            return replace(
                place,
                interfaces=tuple(replace(i, **fields) if i.name == name else i for i in place.interfaces),
            )

        return _in(seen, node, changed)

    return broken


def sysctl(node: str, key: str, value: str) -> Callable[[Evidence], Evidence]:
    return lambda seen: _in(seen, node, lambda place: replace(place, sysctls=place.sysctls | {key: value}))


def without(node: str, kind: str) -> Callable[[Evidence], Evidence]:
    return lambda seen: _in(seen, node, lambda place: replace(place, **{kind: getattr(place, kind)[:-1]}))


def whole(**fields: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: _longer(seen, fields)


def _longer(thing: Any, fields: dict[str, Any]) -> Any:
    return replace(thing, **{key: (*getattr(thing, key), value) for key, value in fields.items()})


def _in(seen: Evidence, node: str, change: Callable[[Namespace], Namespace]) -> Evidence:
    name = f"{INSTANCE.name}.{node}"
    return replace(seen, namespaces=tuple(change(p) if p.name == name else p for p in seen.namespaces))


# what was done, who must say so
DRIFTS: dict[str, tuple[Callable[[Evidence], Evidence], str]] = {
    "a veth": (add("git-web", interfaces=VETH), "interfaces of git-web"),
    "a bridge": (add("host", interfaces=replace(VETH, name="br0", kind="bridge")), "interfaces of host"),
    "a veth in a networkless container": (add("master-backup", interfaces=VETH), "networkless master-backup"),
    "a veth into the machine": (whole(machine=replace(VETH, peer="unit.host")), "machine around pluto"),
    "a wire with another peer": (wire("git-web", "pub-git-web", peer="unit.host"), "link pub-git-web"),
    "a wire that is down": (wire("git-web", "pub-git-web", flags=0), "link pub-git-web"),
    "a wire with an altname": (wire("git-web", "pub-git-web", altnames=("x",)), "link pub-git-web"),
    "a wire without its altname": (wire("lbmt-darkroom", "pub-lbmt-d-1c70", altnames=()), "link pub-lbmt-darkroom"),
    "an XDP program": (wire("git-web", "pub-git-web", xdp=True), "link pub-git-web"),
    "a port of a bridge": (wire("host", "host-pub", master=5), "link host-pub"),
    "no tunnel": (wire("vpn-edge", "wg0", kind="dummy"), "interfaces of vpn-edge"),
    "traffic control": (add("git-web", qdiscs=Qdisc(ifname="pub-git-web", kind="clsact")), "interfaces of git-web"),
    "an address": (
        add("git-web", addresses=Address(ifname="lo", local="10.0.0.1", peer="10.0.0.1", prefix=32)),
        "addresses of git-web",
    ),
    "an IPv6 address": (
        add("git-web", addresses=Address(ifname="lo", local="::1", peer="::1", prefix=128)),
        "addresses of git-web",
    ),
    "no address": (without("git-web", "addresses"), "addresses of git-web"),
    "a route in a table of its own": (add("git-web", routes=LEAK), "routes of git-web"),
    "a default route": (add("git-web", routes=replace(LEAK, table="main")), "routes of git-web"),
    "no route": (without("host", "routes"), "routes of host"),
    "a neighbour by hand": (
        add("host", neighbours=Neighbour(ifname="eth0", address="1.2.3.4", lladdr="", proxy=True)),
        "routes of host",
    ),
    "a policy rule": (add("git-web", rules=BY_SOURCE), "rules of git-web"),
    "forwarding": (sysctl("git-web", "net.ipv4.ip_forward", "1"), "sysctls of git-web"),
    "forwarding on one wire": (
        sysctl("git-web", "net.ipv4.conf.pub-git-web.forwarding", "1"),
        "sysctls of git-web",
    ),
    "IPv6": (sysctl("git-web", "net.ipv6.conf.all.disable_ipv6", "0"), "sysctls of git-web"),
    "no forwarding": (sysctl("host", "net.ipv4.ip_forward", "0"), "sysctls of host"),
    "a TCP listener": (
        add("git-web", listeners=Listener(protocol="tcp", address="0.0.0.0", port=22)),
        "listeners of git-web",
    ),
    "a listener on loopback": (
        add("lbmt-darkroom", listeners=Listener(protocol="tcp", address="127.0.0.1", port=8080)),
        "listeners of lbmt-darkroom",
    ),
    "a packet socket": (
        add("host", listeners=Listener(protocol="packet", address="eth0", port=3)),
        "listeners of host",
    ),
    "an abstract socket": (
        add("host", listeners=Listener(protocol="unix", address="@x", port=0)),
        "listeners of host",
    ),
    "no listener": (without("reverse-proxy-edge", "listeners"), "listeners of reverse-proxy-edge"),
    "a namespace": (whole(names=Bound(name="unit.spy", inode=9)), "namespaces of pluto"),
    "a second name": (whole(names=Bound(name="spy", inode=1000)), "namespaces of pluto"),
    "a process": (whole(processes=SHELL), "processes of pluto"),
    "a container": (whole(stored="unit.spy"), "containers of pluto"),
    "a shared id": (
        whole(foreign=Foreign(pid=8, uid_map=(Span(inside=0, outside=2**31 + 2**16, count=1),))),
        "id ranges of pluto",
    ),
}


def test_as_declared_all_is_held() -> None:
    assert [str(verdict) for verdict in against(everything(ideal(), ESTATE, INSTANCE))] == []


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_named(drift: str) -> None:
    change, subject = DRIFTS[drift]
    told = against(everything(change(ideal()), ESTATE, INSTANCE))
    assert subject in {verdict.subject.split(" (")[0] for verdict in told}
    # What the drift keeps from being proved is unproven besides: no policy rule, no undeclared device is followed.
    named = [verdict for verdict in told if not verdict.subject.startswith("proof ")]
    assert all(verdict.outcome is Outcome.BROKEN for verdict in named)
    assert all(verdict.again for verdict in told)


def test_a_process_that_hides_its_namespace_is_unproven() -> None:
    told = against(everything(whole(processes=replace(SHELL, netns=()))(ideal()), ESTATE, INSTANCE))
    assert [verdict.outcome for verdict in told] == [Outcome.UNPROVEN]


def test_a_missing_namespace_is_named_by_every_judge_of_it() -> None:
    seen = ideal()
    gone = tuple(place for place in seen.namespaces if place.name != "unit.git-web")
    told = against(everything(replace(seen, namespaces=gone, names=seen.names[1:]), ESTATE, INSTANCE))
    named = {verdict.subject.split(" (")[0] for verdict in told}
    assert {"interfaces of git-web", "routes of git-web", "ruleset git-web", "link pub-git-web"} <= named
