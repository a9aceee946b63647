"""Whether places are what the estate declares, no more and no less, and what is told where they are not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from provision import told
from provision.places import Places
from provision.why import Question, answer, declared_at
from specs.model import Estate
from specs.semantics.declared import Declared, tunnels
from specs.semantics.journey import Traveller
from specs.semantics.prove import Arrived, Finding, Outcome, Proof, every_pair, prove
from specs.semantics.witness import Witness
from specs.semantics.world import World

SHOWN = 5  # of each kind; there may be hundreds


def refusal(estate: Estate, places: Places) -> str:
    """Why the rulesets in `places` must not be loaded, in lines; "" when they carry just what is declared."""
    world = World.of(places.values(), tunnels(estate))
    declared = Declared(estate=estate, space=world.space)
    proof = prove(world, declared, every_pair(estate))
    return "" if proof.holds else "\n".join(_lines(estate, places, proof))


def _lines(estate: Estate, places: Places, proof: Proof) -> Iterator[str]:
    yield "refused, nothing was touched: these rulesets are not what is declared"
    yield from (f"  cannot be read: {each}" for each in proof.unread[:SHOWN])
    missing = [each for each in proof.flows if each.outcome is not Outcome.PROVED]
    for finding in proof.findings[:SHOWN]:
        yield from (f"  {line}" for line in _admitted(places, finding))
    for arrived in missing[:SHOWN]:
        yield from (f"  {line}" for line in _missing(estate, places, arrived))
    more = max(len(proof.findings) - SHOWN, 0) + max(len(missing) - SHOWN, 0)
    if more:
        yield f"  and {more} more"


def _admitted(places: Places, finding: Finding) -> Iterator[str]:
    """A packet that would be accepted and is not declared, its way, the rule that lets it in."""
    sure = finding.outcome is Outcome.VIOLATED
    witness = finding.witness
    yield f"{finding.source} -> {finding.target}: " + ("no flow declares it" if sure else "it cannot be told whether")
    yield from (f"  hangs on {rule}" for rule in finding.blame if not sure)
    if witness is not None:
        yield f"  {witness}"
        yield from (f"    {line}" for line in _way(places, witness))


def _way(places: Places, witness: Witness) -> Iterator[str]:
    """From where the raw socket's packet comes in; of one that rides on a connection the rules are not followed."""
    place, ifname = witness.sent
    interface = places[place].interface(ifname)
    if interface is not None and interface.far is not None and not witness.following:
        node, entered = interface.far
        found = Traveller(places).send(node, replace(witness.packet, iif=entered))
        yield from told.way(found, {})


def _missing(estate: Estate, places: Places, arrived: Arrived) -> Iterator[str]:
    """A declared flow that would not be carried, and where it dies."""
    flow = arrived.flow
    yield f"{flow} ({flow.source}) would not be carried ({arrived.direction})"
    yield from (f"  hangs on {rule}" for rule in arrived.blame)
    found = answer(estate, places, Question(source=flow.source_node, target=flow.target, port=flow.port))
    yield from (f"  {line}" for line in told.lines(found, declared_at(estate)))
