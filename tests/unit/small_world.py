"""A small world made by hand: a client, a gateway that translates, and a server behind it, with rules as nft tells.

client ─ out ─ gateway ─ in ─ server          192.0.2.0/31, 10.0.0.0/31; the gateway hands tcp/80 to the server
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from specs.semantics.packet import Packet
from specs.semantics.place import Interface, Place, Route

Listed = dict[str, Any]
CLIENT, OUTSIDE = IPv4Address("192.0.2.0"), IPv4Address("192.0.2.1")
INSIDE, SERVER = IPv4Address("10.0.0.0"), IPv4Address("10.0.0.1")
STRICT = {"net.ipv4.conf.all.rp_filter": "1"}


def meta(key: str, value: str) -> Listed:
    return {"match": {"op": "==", "left": {"meta": {"key": key}}, "right": value}}


def payload(protocol: str, name: str, value: Any, operator: str = "==") -> Listed:
    left = {"payload": {"protocol": protocol, "field": name}}
    return {"match": {"op": operator, "left": left, "right": value}}


def ct(key: str, value: Any) -> Listed:
    return {"match": {"op": "in", "left": {"ct": {"key": key}}, "right": value}}


def chain(name: str, *, kind: str = "filter", priority: int = 0, policy: str = "drop") -> Listed:
    return {
        "chain": {
            "family": "inet",
            "table": "t",
            "name": name,
            "handle": 1,
            "type": kind,
            "hook": name.partition("-")[0],
            "prio": priority,
            "policy": policy,
        }
    }


def rule(where: str, *statements: Listed, comment: str = "", handle: int = 9) -> Listed:
    told = {"family": "inet", "table": "t", "chain": where, "handle": handle, "expr": list(statements)}
    return {"rule": told | ({"comment": comment} if comment else {})}


ACCEPT, DROP = {"accept": None}, {"drop": None}
TABLE = {"table": {"family": "inet", "name": "t", "handle": 1}}
FLOW = "client -> server tcp/80"
ANSWERS = rule("forward", meta("iifname", "in"), ct("state", "established"), ACCEPT, comment=FLOW, handle=3)
GATEWAY = (
    TABLE,
    chain("forward"),
    chain("prerouting", kind="nat", priority=-100, policy="accept"),
    chain("postrouting", kind="nat", priority=100, policy="accept"),
    rule("forward", payload("tcp", "dport", 8080), meta("iifname", "out"), ACCEPT, comment=FLOW, handle=2),
    ANSWERS,
    rule("prerouting", payload("tcp", "dport", 80), {"dnat": {"family": "ip", "addr": str(SERVER), "port": 8080}}),
    rule("postrouting", meta("oifname", "in"), {"masquerade": None}),
)
OPEN = (TABLE, chain("input", policy="accept"))


def interface(name: str, address: IPv4Address, far: str) -> Interface:
    return Interface(name=name, index=2 + (name == "out"), addresses=(address,), far=(far, name))


def routes(*ends: tuple[str, IPv4Address]) -> tuple[Route, ...]:
    """What the kernel makes of addresses by itself."""
    local = [Route(kind="local", destination=IPv4Network(own), ifname=ifname, table="local") for ifname, own in ends]
    near = [Route(kind="unicast", destination=IPv4Network((int(own) & ~1, 31)), ifname=name) for name, own in ends]
    return (*local, *near)


DEFAULT = Route(kind="unicast", destination=IPv4Network("0.0.0.0/0"), via=OUTSIDE, ifname="out")


def places(
    gateway: tuple[Listed, ...] = GATEWAY, server: tuple[Listed, ...] = OPEN, *, forwards: bool = True
) -> Mapping[str, Place]:
    forwarding = {f"net.ipv4.conf.{name}.forwarding": "1" for name in ("in", "out")} if forwards else {}
    return {
        "client": Place(
            name="client",
            interfaces=(interface("out", CLIENT, "gateway"),),
            routes=(*routes(("out", CLIENT)), DEFAULT),
            sysctls={},
            listing=(),
        ),
        "gateway": Place(
            name="gateway",
            interfaces=(interface("in", INSIDE, "server"), interface("out", OUTSIDE, "client")),
            routes=routes(("in", INSIDE), ("out", OUTSIDE)),
            sysctls=STRICT | forwarding,
            listing=gateway,
        ),
        "server": Place(
            name="server",
            interfaces=(interface("in", SERVER, "gateway"),),
            routes=routes(("in", SERVER)),
            sysctls=STRICT,
            listing=server,
        ),
    }


def packet(to: IPv4Address = OUTSIDE, port: int = 80, source: IPv4Address | None = None) -> Packet:
    own = source or IPv4Address(0)
    return Packet(saddr=own, daddr=to, protocol=6, sport=40000, dport=port, flags=2)
