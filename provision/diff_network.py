"""What must change in the namespaces: desired against actual, noun by noun. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

from provision import diff_tunnel, ruleset_change
from provision.desired import LINK_MTU, DesiredNetwork, DesiredNode
from provision.facts.link import TUN, WIREGUARD, ActualLink
from provision.facts.network import ActualNetwork
from provision.facts.process import ActualProcess
from provision.facts.route import ActualRoute
from provision.facts.rule import FRESH
from provision.op import Op
from provision.ops.address import AddAddress, RemoveAddress
from provision.ops.element import AddElement, RemoveElement
from provision.ops.link import ChangeLink, MakeLink, RemoveLink
from provision.ops.netns import MakeNetns, RemoveNetns
from provision.ops.process import EndProcess
from provision.ops.route import AddRoute, RemoveRoute
from provision.ops.rule import RemoveRule, RestoreRule
from provision.ops.ruleset import LoadRuleset
from provision.ops.sysctl import SetSysctl
from provision.ops.tunnel import TUNNEL_MTU, MakeTunnel
from specs import naming, sysctls
from specs.model import Link
from specs.topology import Route

LOOPBACK = "lo"
LOOPBACK_MTU = 65536
_LOOPBACK_ADDRESS = IPv4Interface("127.0.0.1/8")
_FORWARD, _NO_IPV6 = "net.ipv4.ip_forward", "net.ipv6.conf.all.disable_ipv6"
_MAIN = 254  # RT_TABLE_MAIN
AnyInterface = IPv4Interface | IPv6Interface
AnyNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class ActualNetworks:
    """The namespaces there are: those read, by node, and every entry that bears the instance's name."""

    networks: Mapping[str, ActualNetwork]
    entries: tuple[tuple[str, bool], ...]
    processes: tuple[ActualProcess, ...]  # those of no container


def diff(desired: DesiredNetwork, actual: ActualNetworks) -> Iterator[Op]:
    """Every op that the namespaces need, in no order of their own."""
    declared = {wanted.node.name for wanted in desired.nodes}
    yield from (EndProcess(node=p.node, pid=p.pid, command=p.command) for p in actual.processes)
    yield from (RemoveNetns(node=name) for name, _ in actual.entries if name not in declared)
    links = list(_links(desired, actual.networks))
    yield from links
    gone = {(op.node, op.ifname) for op in links if isinstance(op, RemoveLink)}
    for wanted in desired.nodes:
        there = actual.networks.get(wanted.node.name)
        if there is None:
            text = wanted.text if wanted.ruleset.tables else ""
            yield MakeNetns(node=wanted.node.name, sysctls=wanted.first_sysctls, ruleset=text)
        tunnel = list(_tunnel(desired, wanted, there))
        yield from tunnel
        if there is not None:
            remade = {(op.node, op.ifname) for op in tunnel if isinstance(op, MakeTunnel)}
            there = _without(wanted.node.name, there, gone | remade)
        yield from _in_node(desired, wanted, there)


def _in_node(desired: DesiredNetwork, wanted: DesiredNode, there: ActualNetwork | None) -> Iterator[Op]:
    yield from _ruleset(wanted, there)
    yield from _routes(wanted, there)
    if there is not None:
        yield from _sysctls(wanted, there)
        yield from _addresses(desired, wanted, there)
        yield from _rules(wanted, there)


def _without(node: str, there: ActualNetwork, gone: Collection[tuple[str, str]]) -> ActualNetwork:
    """What a namespace holds once the interfaces are gone that must go: their addresses and routes go with them."""
    return replace(
        there,
        links=tuple(link for link in there.links if (node, link.ifname) not in gone),
        addresses=tuple(address for address in there.addresses if (node, address.ifname) not in gone),
        routes=tuple(route for route in there.routes if (node, route.ifname) not in gone),
    )


def _sysctls(wanted: DesiredNode, there: ActualNetwork) -> Iterator[Op]:
    wrong = _wrong_sysctls(wanted, there)
    for key, seen in wrong.items():
        if any(_follows(key, leader) for leader in wrong):
            continue
        follow = tuple(
            (name, value) for name, value in wanted.sysctls.items() if _follows(name, key) and _there(name, there)
        )
        yield SetSysctl(node=wanted.node.name, name=key, value=wanted.sysctls[key], seen=seen, follow=follow)


def _wrong_sysctls(wanted: DesiredNode, there: ActualNetwork) -> dict[str, str]:
    """The keys that do not hold their value, with what they hold instead."""
    seen = dict(there.sysctls)
    return {
        key: seen.get(key, "")
        for key, value in wanted.sysctls.items()
        if _there(key, there) and seen.get(key, "") != value
    }


def _there(key: str, there: ActualNetwork) -> bool:
    """Whether the key's interface exists: one that is yet to be made is born with `default`'s values."""
    return sysctls.interface_of(key) in (None, "all", "default", *(link.ifname for link in there.links))


def _follows(key: str, leader: str) -> bool:
    """Whether the kernel changes `key` itself when `leader` is written.

    inet_forward_change in net/ipv4/devinet.c, addrconf_disable_change in net/ipv6/addrconf.c.
    """
    if leader == _FORWARD:
        return key.startswith("net.ipv4.conf.") and key.endswith((".forwarding", ".accept_redirects"))
    return leader == _NO_IPV6 and key != leader and key.endswith(".disable_ipv6")


def _ruleset(wanted: DesiredNode, there: ActualNetwork | None) -> Iterator[Op]:
    name = wanted.node.name
    if there is not None and there.ruleset.digest == wanted.ruleset.digest:
        kept, missing = wanted.accepts | wanted.settling, wanted.accepts - wanted.settling - there.accepted
        yield from (RemoveElement(node=name, element=each) for each in there.accepted - kept)
        yield from (AddElement(node=name, element=each) for each in missing)
    elif there is not None:
        change = ruleset_change.told(there.ruleset, wanted.ruleset)
        yield LoadRuleset(node=name, text=wanted.text, change=change)


def _links(desired: DesiredNetwork, networks: Mapping[str, ActualNetwork]) -> Iterator[Op]:
    found = {name: {link.ifname: link for link in network.links} for name, network in networks.items()}
    expected: dict[str, set[str]] = {name: {LOOPBACK} for name in found}
    for link in desired.links:
        yield from _link(link, found)
        for end in link.endpoints:
            expected.setdefault(end.node, set()).add(end.ifname)
    for wanted in desired.nodes:
        name = wanted.node.name
        if wanted.node.tunnel is not None:
            expected.setdefault(name, set()).add(desired.tunnel)
        for ifname, there in found.get(name, {}).items():
            if ifname not in expected[name]:
                yield RemoveLink(node=name, ifname=ifname, kind=there.kind)
        if name in found:
            yield from _change(name, found[name].get(LOOPBACK), LOOPBACK_MTU, None)


def _link(link: Link, found: Mapping[str, Mapping[str, ActualLink]]) -> Iterator[Op]:
    a, b = (found.get(end.node, {}).get(end.ifname) for end in link.endpoints)
    if a is not None and b is not None and a.kind == b.kind == "veth" and (a.peer, b.peer) == (b.index, a.index):
        altname = naming.altname(link.name)
        yield from _change(link.a.node, a, LINK_MTU, altname)
        yield from _change(link.b.node, b, LINK_MTU, altname)
        return
    for end, there in ((link.a, a), (link.b, b)):
        if there is not None:
            yield RemoveLink(node=end.node, ifname=end.ifname, kind=there.kind)
    yield MakeLink(link=link)


def _change(node: str, there: ActualLink | None, mtu: int, altname: str | None) -> Iterator[Op]:
    if there is None:
        return
    wrong = [] if there.up else ["is down"]
    wrong += [] if there.mtu == mtu else [f"has MTU {there.mtu}, not {mtu}"]
    wrong += [] if altname is None or altname in there.altnames else [f"lacks the altname {altname}"]
    if wrong:
        yield ChangeLink(node=node, ifname=there.ifname, mtu=mtu, altname=altname, seen=", ".join(wrong))


def _tunnel(desired: DesiredNetwork, wanted: DesiredNode, there: ActualNetwork | None) -> Iterator[Op]:
    if wanted.node.tunnel is None:
        return
    name, config = wanted.node.name, desired.configs.get(wanted.node.name)
    device = next((link for link in there.links if link.ifname == desired.tunnel), None) if there is not None else None
    if there is None or device is None or device.kind != (TUN if config is None else WIREGUARD):
        yield MakeTunnel(
            node=name,
            ifname=desired.tunnel,
            interface=wanted.node.tunnel,
            config=config,
            replaces=device.kind if device is not None else "",
        )
        return
    yield from _change(name, device, TUNNEL_MTU, None)
    if config is not None:
        held = (tunnel for tunnel in there.tunnels if tunnel.ifname == desired.tunnel)
        yield from (op for tunnel in held for op in diff_tunnel.diff(name, config, tunnel))


def _addresses(desired: DesiredNetwork, wanted: DesiredNode, there: ActualNetwork) -> Iterator[Op]:
    """Addresses on interfaces that are there; a link or tunnel that must be made brings its own."""
    node = wanted.node
    declared = {(LOOPBACK, _LOOPBACK_ADDRESS)} | {(end.ifname, end.interface) for end in node.endpoints}
    if node.tunnel is not None:
        declared.add((desired.tunnel, node.tunnel))
    seen = {(found.ifname, found.interface) for found in there.addresses if _stays(found.interface, wanted, there)}
    links = {link.ifname for link in there.links}
    for ifname, interface in declared:
        if ifname in links and (ifname, interface) not in seen:
            yield AddAddress(node=node.name, ifname=ifname, interface=interface)
    expected = {ifname for ifname, _ in declared}
    for ifname, found in seen:
        if ifname in expected and (ifname, found) not in declared:
            yield RemoveAddress(node=node.name, ifname=ifname, interface=found)


def _routes(wanted: DesiredNode, there: ActualNetwork | None) -> Iterator[Op]:
    declared = set(wanted.node.routes)
    seen = [r for r in there.routes if _stays(r.destination, wanted, there)] if there is not None else []
    right = {_key(route) for route in declared}
    for found in seen:
        if _actual_key(found) not in right:
            via = f" via {found.via}" if found.via is not None else ""
            table = "" if found.table == _MAIN else f" table {found.table}"
            what = f"{found.destination}{via} {found.ifname}{table}".rstrip()
            yield RemoveRoute(node=wanted.node.name, what=what, body=found.body)
    have = {_actual_key(found) for found in seen}
    yield from (AddRoute(node=wanted.node.name, route=route) for route in declared if _key(route) not in have)


def _stays(what: AnyInterface | AnyNetwork, wanted: DesiredNode, there: ActualNetwork) -> bool:
    """Whether it is still there once the sysctls are right: IPv6 addresses and routes go with IPv6."""
    return what.version == 4 or not any(key.endswith(".disable_ipv6") for key in _wrong_sysctls(wanted, there))


def _key(route: Route) -> tuple[object, ...]:
    return (route.destination, route.via, route.ifname, _MAIN)


def _actual_key(route: ActualRoute) -> tuple[object, ...]:
    return (route.destination, route.via, route.ifname, route.table)


def _rules(wanted: DesiredNode, there: ActualNetwork) -> Iterator[Op]:
    name = wanted.node.name
    for rule in there.rules:
        if rule.fresh is None:
            yield RemoveRule(node=name, family=rule.family, priority=rule.priority, table=rule.table, body=rule.body)
    have = {rule.fresh for rule in there.rules}
    yield from (RestoreRule(node=name, rule=fresh) for fresh in FRESH if fresh.family == "inet" and fresh not in have)
