"""Read the running kernel for its meaning: every namespace of an instance, once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provision.desired import DesiredNetwork
from provision.facts import listing, netns, netnsid, network
from provision.facts.compiled import listed
from provision.facts.listing import Listing
from provision.facts.network import ActualNetwork
from provision.kernel import inside
from provision.places import Running
from specs import sysctls
from specs.instance import Instance


def read(desired: DesiredNetwork, instance: Instance, cache: Path) -> Running:
    """Every declared namespace there is. HostError, CommandError, OSError."""
    there = {node for node, mounted in netns.read(instance.name) if mounted}
    wanted = {each.node.name: each.sysctls for each in desired.nodes if each.node.name in there}
    found = {node: network.read(netns.path(instance.name, node), keys) for node, keys in wanted.items()}
    return told(desired, instance, cache, found)


def told(desired: DesiredNetwork, instance: Instance, cache: Path, found: Mapping[str, ActualNetwork]) -> Running:
    """The same of networks that were read already, with their listings.

    A namespace that holds what is declared, to the byte, is listed as that was when it was compiled.
    """
    paths = {node: netns.path(instance.name, node) for node in found}
    return Running(
        networks=found,
        listings={node: _listing(desired, node, there, paths[node], cache) for node, there in found.items()},
        numbers=netnsid.read(paths),
    )


def _listing(desired: DesiredNetwork, node: str, there: ActualNetwork, path: Path, cache: Path) -> Listing:
    wanted = desired.node(node)
    if there.ruleset.digest == wanted.ruleset.digest:
        return listed(wanted.text, cache)
    return inside(path, listing.read)
