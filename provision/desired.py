"""Estate -> what the kernel must hold, in the terms in which facts are read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provision.facts import whitelist
from provision.facts.compiled import compiled
from provision.facts.ruleset import ActualRuleset
from provision.facts.whitelist import Accepted
from provision.render import nft
from provision.render.wireguard import TunnelConfig
from specs import sysctls
from specs.model import TUNNEL_INTERFACE, Estate, Link
from specs.topology import Node, nodes

LINK_MTU = 1500


@dataclass(frozen=True, kw_only=True)
class DesiredNode:
    """One namespace: what it is, the ruleset's text, and what the kernel makes of that text."""

    node: Node
    template: str  # the ruleset as declared, and nothing of what was recorded
    text: str  # with whom the whitelists' record names
    ruleset: ActualRuleset
    accepts: frozenset[Accepted] = frozenset()  # what its accept sets hold
    settling: frozenset[Accepted] = frozenset()  # what may be in them, or not, for a moment

    @property
    def sysctls(self) -> Mapping[str, str]:
        """Every key of the namespace and of its declared interfaces, in the order to write."""
        return sysctls.every(self.node)

    @property
    def first_sysctls(self) -> tuple[tuple[str, str], ...]:
        """Those that can be set before there is any interface but lo; the others are born with `default`'s."""
        later = {end.ifname for end in self.node.endpoints} | {TUNNEL_INTERFACE}
        return tuple((key, value) for key, value in self.sysctls.items() if sysctls.interface_of(key) not in later)


@dataclass(frozen=True, kw_only=True)
class DesiredNetwork:
    nodes: tuple[DesiredNode, ...]
    links: tuple[Link, ...]
    tunnel: str  # the tunnel device's name, wherever a node has one
    configs: Mapping[str, TunnelConfig] = field(default_factory=dict)  # node -> its device's, where it is the kernel's

    def node(self, name: str) -> DesiredNode:
        return next(wanted for wanted in self.nodes if wanted.node.name == name)


def network(estate: Estate, cache: Path, record: Path | None) -> DesiredNetwork:
    """The network of `estate`, with whom the whitelists' `record` names now. CommandError when nft refuses a ruleset.

    `cache` remembers what rulesets compile to.
    """
    texts = nft.rulesets(estate)
    recorded, now = whitelist.recorded(record), time.time()
    accepts = {name: whitelist.wanted(estate, name, recorded) for name in texts}
    wanted = tuple(
        DesiredNode(
            node=node,
            template=texts[node.name],
            text=whitelist.carried(texts[node.name], accepts[node.name]),
            ruleset=compiled(texts[node.name], cache),
            accepts=accepts[node.name],
            settling=whitelist.settling(estate, node.name, recorded, now),
        )
        for node in nodes(estate)
    )
    return DesiredNetwork(
        nodes=wanted,
        links=estate.wires,
        tunnel=estate.tunnel.ifname,
    )
