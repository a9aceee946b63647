"""Estate -> each namespace's ruleset, as text for `nft -f` (nft(8)).

Every rule names its interface, both addresses, the port, the connection's state and its direction, so that
nothing rides on another's connection, and bears its flow as a comment; answers are accepted on the very same
terms, turned round. ICMP errors (`related`) are not accepted: the edges find the path MTU by probing
(net.ipv4.tcp_mtu_probing). The guards (specs.guard) stand before the accepts, and only ever drop. The last lines of a
chain tell, link by link, what is about to be dropped; the policy drops and the counter counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import assert_never

from specs.guard import Effect, Guard, denied_link, guards, metered
from specs.model import Estate
from specs.topology import Node, nodes
from specs.way import Hop, Way, ways
from specs.whitelist import set_name

TABLE = "inet pluto"
FLUSH = "flush ruleset\n"
LOG = 'limit rate 2/second burst 5 packets log prefix "{prefix} " group 1'


@dataclass(kw_only=True)
class _Chains:
    input: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    prerouting: list[str] = field(default_factory=list)
    postrouting: list[str] = field(default_factory=list)


def rulesets(estate: Estate) -> Mapping[str, str]:
    """The text of every node's ruleset; the world around the host has an empty one."""
    chains = {node.name: _Chains() for node in nodes(estate) if node.ours}
    for way in ways(estate):
        for hop in way.hops:
            _add(chains[hop.node], way, hop)
    return {node.name: _text(estate, node, chains[node.name]) if node.ours else FLUSH for node in nodes(estate)}


def _add(chains: _Chains, way: Way, hop: Hop) -> None:
    note = f' comment "{way.flow}"'
    asked, answered = _opening(way, hop) + note, _answer(way, hop) + note
    if hop.enters and hop.leaves:
        met = "ct status dnat " if hop.dnat else ""
        chains.forward.append(f'iifname "{hop.enters}" oifname "{hop.leaves}" {met}{asked}')
        chains.forward.append(f'iifname "{hop.leaves}" oifname "{hop.enters}" {answered}')
    elif hop.enters:
        chains.input.append(f'iifname "{hop.enters}" {asked}')
        chains.output.append(f'oifname "{hop.enters}" {answered}')
    else:
        chains.output.append(f'oifname "{hop.leaves}" {asked}')
        chains.input.append(f'iifname "{hop.leaves}" {answered}')
    chains.prerouting.extend(_dnat(way, hop))
    chains.postrouting.extend(_masquerade(way, hop))


def _opening(way: Way, hop: Hop) -> str:
    port = way.flow.port
    ends = f"{_is('saddr', hop.source, hop.whitelist)} {_is('daddr', hop.destination)}"
    return f"{ends} {port.protocol} dport {port.number} ct state new,established ct direction original accept"


def _answer(way: Way, hop: Hop) -> str:
    port = way.flow.port
    ends = f"{_is('saddr', hop.destination)} {_is('daddr', hop.source, hop.whitelist)}"
    return f"{ends} {port.protocol} sport {port.number} ct state established ct direction reply accept"


def _is(key: str, address: IPv4Address | None, whitelist: str | None = None) -> str:
    if whitelist is not None:
        return f"ip {key} @{set_name(whitelist)}"
    return f"ip {key} {address}" if address is not None else f"ip {key} != @inside"


def _dnat(way: Way, hop: Hop) -> Iterator[str]:
    if hop.dnat is not None:
        port = way.flow.port
        aim = f"{_is('saddr', None, hop.whitelist)} ip daddr {way.dial} {port.protocol} dport {port.number}"
        yield f'iifname "{hop.enters}" {aim} dnat ip to {hop.dnat}'


def _masquerade(way: Way, hop: Hop) -> Iterator[str]:
    if hop.masquerade:
        port = way.flow.port
        ends = f"{_is('saddr', hop.source)} {_is('daddr', hop.destination)}"
        yield f'oifname "{hop.leaves}" {ends} {port.protocol} dport {port.number} masquerade'


def _text(estate: Estate, node: Node, chains: _Chains) -> str:
    links = [endpoint.ifname for endpoint in node.endpoints]
    links += [estate.tunnel.ifname] if node.tunnel is not None else []
    forward = [*_guarded(estate, node), *chains.forward]
    body = [
        *_inside(estate, chains),
        *(line for guard in guards(estate, node.name) for line in _guard(estate, guard)),
        *_filter(node, "input", ['iifname "lo" accept', *chains.input], "iifname", links),
        *_filter(node, "forward", forward, "iifname", links if forward else []),
        *_filter(node, "output", ['oifname "lo" accept', *chains.output], "oifname", links),
        *_nat("prerouting", "dstnat", chains.prerouting),
        *_nat("postrouting", "srcnat", chains.postrouting),
    ]
    lines = "\n".join(f"    {line}" if line else "" for line in body).rstrip()
    return f"{FLUSH}table {TABLE} {{\n{lines}\n}}\n"


def _inside(estate: Estate, chains: _Chains) -> Iterable[str]:
    if not any("@inside" in rule for rules in vars(chains).values() for rule in rules):
        return ()
    networks = ", ".join(str(network) for network in sorted(estate.inside))
    return ("set inside {", "    type ipv4_addr", "    flags interval", f"    elements = {{ {networks} }}", "}", "")


def _guard(estate: Estate, guard: Guard) -> Iterable[str]:
    """The set, and the chain that what it holds goes to; of an accept set alone, with those it holds in any case."""
    if guard.effect is Effect.ACCEPT:
        listed = ", ".join(map(str, estate.whitelist(guard.whitelist).addresses))
        held = [f"    elements = {{ {listed} }}"] if listed else []
        return (
            *(f"set {guard.name} {{", "    type ipv4_addr", f"    size {guard.size}", "    flags timeout"),
            *(*held, "}", ""),
        )
    told = LOG.format(prefix=f"{guard.node} forward {guard.name}")
    return (
        *(f"set {guard.name} {{", "    type ipv4_addr", f"    size {guard.size}", "    flags dynamic,timeout"),
        *(f"    timeout {guard.seconds}s", "}", ""),
        *(f"chain {guard.name} {{", f"    {told}", "    counter drop", "}", ""),
    )


def _guarded(estate: Estate, node: Node) -> Iterator[str]:
    for guard in guards(estate, node.name):
        match guard.effect:
            case Effect.DENY:
                path = f'iifname "{estate.host.uplink}" oifname "{denied_link(estate)}"'
                yield f"{path} ip saddr @{guard.name} goto {guard.name}"
            case Effect.METER:
                over = f"limit rate over {guard.rate}/second burst {guard.burst} packets"
                for way, hop in metered(estate):
                    asked = _opening(way, hop).replace("new,established", "new").removesuffix(" accept")
                    path = f'iifname "{hop.enters}" oifname "{hop.leaves}" ct status dnat {asked}'
                    yield f"{path} update @{guard.name} {{ ip saddr {over} }} goto {guard.name}"
            case Effect.ACCEPT:
                pass  # the flows' own rules name it
            case _:
                assert_never(guard.effect)


def _filter(node: Node, hook: str, rules: Iterable[str], key: str, links: Iterable[str]) -> Iterable[str]:
    told = (f'{key} "{link}" {LOG.format(prefix=f"{node.name} {hook} {link}")}' for link in links)
    lines = (f"type filter hook {hook} priority filter; policy drop;", *dict.fromkeys(rules), *told, "counter")
    return (f"chain {hook} {{", *(f"    {line}" for line in lines), "}", "")


def _nat(hook: str, priority: str, rules: list[str]) -> Iterable[str]:
    if not rules:
        return ()
    lines = (f"type nat hook {hook} priority {priority}; policy accept;", *dict.fromkeys(rules))
    return (f"chain {hook} {{", *(f"    {line}" for line in lines), "}", "")
