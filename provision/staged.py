"""What is about to be loaded: whether it is what is declared, and whom it lets reach whom.

The semantics are loaded when there is something to say: a second apply, whose proof is remembered, costs nothing.
The proof is a function of the rulesets as nft lists them, of what is declared, and of the code that proves. It is
remembered beside the listings and counts as long as it is younger than each of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import specs
from provision.desired import DesiredNetwork
from provision.facts import compiled
from provision.op import Phase
from provision.plan import Plan
from provision.survey import Survey
from specs.instance import Instance
from specs.model import Estate

if TYPE_CHECKING:
    from provision.places import Places

SUFFIX = ".proved"
_CODE = Path(specs.__path__[0])
# What decides where packets go; the rest of a plan makes no difference to it.
_DECISIVE = frozenset(Phase) - {
    Phase.DROP_PROCESS, Phase.DROP_CONTAINER, Phase.DROP_OWNED, Phase.FOLDER, Phase.IMAGE, Phase.OWNED, Phase.FILE,
    Phase.SECRET, Phase.CONTAINER,
}  # fmt: skip


def refusal(estate: Estate, declared: DesiredNetwork, instance: Instance) -> str:
    """Why apply refuses, in lines; "" when the rulesets are proved to carry what is declared, and nothing else."""
    cache = compiled.memories(instance)
    memory = cache / f"{_key(estate, declared)}{SUFFIX}"
    listings = [compiled.listing_memory(wanted.template, cache) for wanted in declared.nodes]
    if _younger(memory, listings):
        return ""
    from provision import proof

    found = proof.refusal(estate, _declared(estate, declared, cache))
    if not found:
        memory.touch()
    return found


def reach(found: Plan, survey: Survey, estate: Estate, instance: Instance) -> Plan:
    """The plan with what it means for who reaches whom; nothing is asked for where it changes no packet's way."""
    if not any(op.key.phase in _DECISIVE for op in found.ops):
        return found
    from provision import places, running
    from provision.reach import difference

    cache, declared = compiled.memories(instance), survey.declared
    ours = frozenset(wanted.node.name for wanted in declared.nodes if wanted.node.ours)
    now = places.running(running.deepened(declared, instance, cache, survey.networks.networks), ours)
    then = _declared(estate, declared, cache, recorded=True)
    changed = frozenset(wanted.node.name for wanted in survey.network.nodes)
    told = difference(estate, now, places.planned(now, then, changed))
    return replace(found, gained=told.gained, lost=told.lost)


def _declared(estate: Estate, declared: DesiredNetwork, cache: Path, *, recorded: bool = False) -> Places:
    """The declared places, with whom the whitelists' record names or without."""
    from provision import places

    texts = {each.node.name: each.text if recorded else each.template for each in declared.nodes}
    return places.declared(estate, {node: compiled.listed(text, cache) for node, text in texts.items()})


def _key(estate: Estate, declared: DesiredNetwork) -> str:
    digest = hashlib.sha256()
    for part in _parts(estate, declared):
        digest.update(f"{len(part)}\0{part}".encode())
    return digest.hexdigest()


def _parts(estate: Estate, declared: DesiredNetwork) -> Iterator[str]:
    yield from (compiled.key(wanted.template) for wanted in declared.nodes)
    yield repr([wanted.node for wanted in declared.nodes])
    yield repr((estate.profile, estate.flows, estate.links, estate.tunnel, estate.host, estate.world))
    for path in (*_CODE.glob("*.py"), *_CODE.glob("semantics/*.py")):
        found = path.stat()
        yield f"{path.name} {found.st_mtime_ns} {found.st_size}"


def _younger(memory: Path, listings: list[Path]) -> bool:
    try:
        own = memory.stat().st_mtime_ns
        return all(path.stat().st_mtime_ns <= own for path in listings)
    except FileNotFoundError:
        return False
