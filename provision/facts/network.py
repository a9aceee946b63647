"""One visit to one namespace: everything that provisioning compares, read by netlink and /proc/sys.

The nouns' own modules parse; this one enters the namespace once and asks for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from provision.facts import address, link, route, rule, ruleset, sysctl, tunnel, whitelist
from provision.facts.address import ActualAddress
from provision.facts.link import ActualLink
from provision.facts.route import ActualRoute
from provision.facts.rule import ActualRule
from provision.facts.ruleset import ActualRuleset
from provision.facts.tunnel import ActualTunnel
from provision.facts.whitelist import Accepted
from provision.kernel import inside
from provision.netlink import NETLINK_NETFILTER, NETLINK_ROUTE, Socket


@dataclass(frozen=True, kw_only=True)
class ActualNetwork:
    """What one namespace holds."""

    links: tuple[ActualLink, ...]
    addresses: tuple[ActualAddress, ...]
    routes: tuple[ActualRoute, ...]
    rules: tuple[ActualRule, ...]
    sysctls: tuple[tuple[str, str], ...]
    ruleset: ActualRuleset
    tunnels: tuple[ActualTunnel, ...] = ()  # the kernel's WireGuard devices
    accepted: frozenset[Accepted] = frozenset()  # what the accept sets hold


def read(path: Path, keys: Iterable[str]) -> ActualNetwork:
    """Read the namespace at `path`; `keys` are the sysctls to read (one that is absent reads as "")."""
    return inside(path, lambda: _read_here(tuple(keys)))


def _read_here(keys: tuple[str, ...]) -> ActualNetwork:
    sockets = Socket(NETLINK_ROUTE), Socket(NETLINK_NETFILTER)
    try:
        kernel, filter_ = sockets
        links = link.read(kernel)
        names = {found.index: found.ifname for found in links}
        return ActualNetwork(
            links=links,
            addresses=address.read(kernel, names),
            routes=route.read(kernel, names),
            rules=rule.read(kernel),
            sysctls=sysctl.read(keys),
            ruleset=ruleset.read(filter_),
            accepted=whitelist.read(filter_),
            tunnels=tuple(tunnel.read(found.ifname) for found in links if found.kind == link.WIREGUARD),
        )
    finally:
        for opened in sockets:
            opened.close()
