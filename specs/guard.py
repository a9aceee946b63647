"""Estate -> its guards: the sets of a ruleset that fill at run time, each with its effect, writer and bound (law 1).

banned         deny    whoever is in it reaches the site's edge no more  written by fail2ban, see site.bans
flood          meter   new connections over the rate are dropped         written by the rules themselves, see site.flood
whitelist-...  accept  who is in it may open what names the whitelist    written by its keeper, see specs.whitelist

The first two stand before the accepts of the host's forward chain and only ever drop. When a set is full, fail2ban
cannot add and a meter lets pass: the bound is the kernel's memory, not the estate's safety. An accept set opens, so
that each of its elements must be declared or recorded; it stands in every namespace that sees the client's address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from specs.model import HOST, Estate, Protocol
from specs.way import Hop, Way, ways
from specs.whitelist import SIZE, set_name

BANNED, FLOOD = "banned", "flood"
BANNED_SIZE, FLOOD_SIZE = 4096, 65535
FLOOD_SECONDS = 60  # how long an address is remembered after its last new connection


class Effect(StrEnum):
    DENY = "deny"
    METER = "meter"
    ACCEPT = "accept"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A dynamic set of source addresses (IPv4), in the ruleset of `node`."""

    node: str
    name: str
    effect: Effect
    writer: str
    size: int  # addresses at most
    seconds: int  # an element's life; 0: until it is taken out
    rate: int = 0  # of a meter: new connections a second
    burst: int = 0
    whitelist: str = ""  # of an accept set


def guards(estate: Estate, node: str) -> tuple[Guard, ...]:
    """The guards of one node, by name."""
    lists = sorted({hop.whitelist for way in ways(estate) for hop in way.hops if hop.node == node and hop.whitelist})
    return (*(_host(estate) if node == HOST else ()), *(_accepting(node, name) for name in lists))


def _accepting(node: str, whitelist: str) -> Guard:
    return Guard(
        node=node,
        name=set_name(whitelist),
        effect=Effect.ACCEPT,
        writer="the whitelists' keeper",
        size=SIZE,
        seconds=0,
        whitelist=whitelist,
    )


def _host(estate: Estate) -> Iterator[Guard]:
    bans, flood = estate.site.bans, estate.site.flood
    if bans is not None:
        yield Guard(
            node=HOST, name=BANNED, effect=Effect.DENY, writer="fail2ban", size=BANNED_SIZE, seconds=bans.seconds
        )
    if flood is not None:
        yield Guard(
            node=HOST,
            name=FLOOD,
            effect=Effect.METER,
            writer="the rules",
            size=FLOOD_SIZE,
            seconds=FLOOD_SECONDS,
            rate=flood.rate,
            burst=flood.burst,
        )


def metered(estate: Estate) -> tuple[tuple[Way, Hop], ...]:
    """What a meter counts: the TCP flows of the WAN, where the host forwards them.

    Not WireGuard's UDP: its sources are forged at will, so that a meter would shut out the one they are forged as,
    and it answers a flood with cookies of its own.
    """
    from_wan = (
        way for way in ways(estate) if estate.from_internet(way.flow) and way.flow.port.protocol is Protocol.TCP
    )
    return tuple((way, hop) for way in from_wan for hop in way.hops if hop.node == HOST)


def denied_link(estate: Estate) -> str:
    """The interface of the host that a banned address' packets no longer go out by: the site's edge, not the tunnel."""
    edge = estate.site.edge
    return next(link.ifname for link in estate.links if {link.a.node, link.b.node} == {HOST, edge})
