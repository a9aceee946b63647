"""The places that a question about meaning is asked of: the running kernel's, or the declared ones."""

from __future__ import annotations

from provision import desired, places, running
from provision.errors import HostError
from provision.facts.compiled import listed
from provision.places import Places
from provision.survey import CACHE
from specs.instance import Instance
from specs.model import Estate

RULESETS = "rulesets"


def asked(estate: Estate, instance: Instance, *, declared: bool) -> Places:
    """HostError where the kernel holds nothing of the instance; CommandError where nft refuses something."""
    cache = instance.state / CACHE / RULESETS
    wanted = desired.network(estate, cache)
    if declared:
        return places.declared(wanted, {each.node.name: listed(each.text, cache) for each in wanted.nodes})
    found = running.read(wanted, instance, cache)
    if not found.networks:
        raise HostError(f"instance {instance.name} has no namespace: `apply` makes it, or ask with --declared")
    return places.running(found)


def told(*, declared: bool) -> str:
    return "as declared" if declared else "on the running kernel"
