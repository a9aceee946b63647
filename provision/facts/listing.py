"""A namespace's ruleset in nft's own machine format (libnftables-json(5)): what the semantics read.

Slower than the netlink dump of facts.ruleset by a process a namespace, so it is asked for where a meaning is wanted,
and not where two rulesets are only compared. A dump that says the same has the same listing.
The rules that it tells wrongly are found by loading it back (facts.doubt).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provision.errors import CommandError, HostError
from provision.facts import ruleset
from provision.facts.doubt import doubted
from provision.netlink import NETLINK_NETFILTER, Socket
from provision.run import run

LIST = ("nft", "--json", "list", "ruleset")
LIST_SECONDS = 30.0
TRIES = 8
_FILLING = ("timeout", "dynamic")  # flags of a set; nft 1.0.6 leaves out the second
Objects = tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Listing:
    objects: Objects  # what stands under "nftables"
    doubted: frozenset[int] = frozenset()  # handles of the rules that it tells wrongly
    why_not: str = ""  # where nft does not list it: some legal rules make it give up

    @property
    def fills(self) -> bool:
        """Whether a set of it fills at run time: then it says what that held when it was listed."""
        return any(flag in str(each.get("set", {}).get("flags")) for each in self.objects for flag in _FILLING)


def read(interfaces: Mapping[str, int]) -> Listing:
    """The ruleset of the calling thread's namespace, in one generation. HostError where it never rests.

    `interfaces` are the namespace's, by name.
    """
    opened = Socket(NETLINK_NETFILTER)
    try:
        for _ in range(TRIES):
            before = ruleset.generation(opened)
            try:
                objects = parse(run(LIST, timeout=LIST_SECONDS).stdout)
            except (CommandError, ValueError) as error:
                return Listing(objects=(), why_not=str(error).splitlines()[0])
            held = ruleset.hold(opened)
            if ruleset.generation(opened) == before:
                return Listing(objects=objects, doubted=doubted(objects, held, interfaces))
    finally:
        opened.close()
    raise HostError(f"the ruleset changed during each of {TRIES} listings: something keeps rewriting it")


def parse(text: str) -> Objects:
    """What nft printed; counters' counts are left out, so that the same rules are the same listing."""
    return tuple(_still(each) for each in json.loads(text)["nftables"])


def _still(listed: dict[str, Any]) -> dict[str, Any]:
    rule = listed.get("rule")
    if rule is None:
        return listed
    expressions = [{"counter": None} if isinstance(e.get("counter"), dict) else e for e in rule.get("expr", ())]
    return {"rule": {**rule, "expr": expressions}}
