"""The places that a question about meaning is asked of: the running kernel's, or the declared ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision import desired, places, running
from provision.desired import DesiredNetwork
from provision.errors import HostError
from provision.facts import netns, unix
from provision.facts.compiled import listed, memories
from provision.places import Places
from specs import whitelist
from specs.instance import Instance
from specs.model import Estate


@dataclass(frozen=True, kw_only=True)
class Asked:
    places: Places
    listening: Mapping[str, tuple[str, ...]]  # namespace -> unix sockets; of a running instance alone


def asked(estate: Estate, instance: Instance, *, declared: bool) -> Asked:
    """HostError where the kernel holds nothing of the instance; CommandError where nft refuses something."""
    cache = memories(instance)
    wanted = desired.network(estate, cache, whitelist.record(estate, instance))
    if declared:
        listings = {each.node.name: listed(each.template, cache) for each in wanted.nodes}
        return Asked(places=places.declared(estate, listings), listening={})
    found = running.read(wanted, instance, cache)
    if not found.networks:
        raise HostError(f"instance {instance.name} has no namespace: `apply` makes it, or ask with --declared")
    return Asked(
        places=places.running(found, ours(wanted)),
        listening={node: unix.read(netns.path(instance.name, node)) for node in found.networks},
    )


def ours(wanted: DesiredNetwork) -> frozenset[str]:
    """The nodes in which the estate's rulesets stand."""
    return frozenset(each.node.name for each in wanted.nodes if each.node.ours)


def told(*, declared: bool) -> str:
    return "as declared" if declared else "on the running kernel"
