"""How a packet's way is told: in lines, and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provision.why import Answer
from specs.semantics.journey import End, Hop, Journey, Step

Rows = Mapping[str, str]  # flow -> where it is declared


def lines(found: Answer, rows: Rows) -> Iterator[str]:
    """Namespace by namespace; then where it ended, where no rule says it, and what becomes of the answer."""
    journey = found.journey
    if journey is None:
        yield f"{found.question.target} has no address: it has no link, and lo alone"
        return
    yield from way(journey, rows)
    if journey.arrives and found.lost is not None:
        hop, step = found.lost
        yield f"and what answers it dies in {hop.node}:"
        yield from (f"  {line}" for line in _step(step, rows))
    elif journey.arrives and not found.allowed:
        yield f"it ends in {journey.node}, not in {found.question.target}"
    elif journey.arrives:
        yield "and what answers it comes back the same way"
    yield from (f"unproven: {each}" for each in found.strange)
    if found.raw is not None:
        yield f"but sent by a raw socket, past {found.question.source}'s own rules, it is accepted:"
        yield from (f"  {line}" for line in way(found.raw, rows))


def way(journey: Journey, rows: Rows) -> Iterator[str]:
    """The hops, each with what decided there."""
    for hop in journey.hops:
        yield _hop(hop)
        for step in hop.steps:
            yield from (f"  {line}" for line in _step(step, rows))
    if journey.why:
        yield f"{journey.end}: {journey.why}"


def _hop(hop: Hop) -> str:
    ways = [f"in by {hop.enters}"] * bool(hop.enters) + [f"out by {hop.leaves}"] * bool(hop.leaves)
    packet = f": {hop.steps[0].packet}" if hop.steps else ""
    return f"{' '.join([hop.node, ', '.join(ways)]).rstrip()}{packet}"


def _step(step: Step, rows: Rows) -> Iterator[str]:
    ruling = step.ruling
    if ruling.chain:
        place = f"  ({rows[ruling.comment]})" if ruling.comment in rows else ""
        yield f"{step.hook}: {ruling.verdict} by {ruling.words}, {ruling.chain}{place}"
        yield from (f"  unless {rule}" for rule in ruling.unless)
    if step.translation is not None:
        yield f"{step.hook}: {step.translation.words}, so it becomes {step.translation.packet}"


def document(found: Answer, rows: Rows) -> dict[str, Any]:
    journey = found.journey
    if journey is None:
        return {
            "hops": [],
            "end": End.NO_LINK,
            "why": f"{found.question.target} has no address",
            "answer": None,
            "raw": None,
            "unproven": [],
        }
    lost = found.lost
    return {
        "hops": [_document(hop, rows) for hop in journey.hops],
        "end": journey.end,
        "why": journey.why,
        "answer": None if lost is None else {"node": lost[0].node, **_told(lost[1], rows)},
        "raw": None if found.raw is None else [_document(hop, rows) for hop in found.raw.hops],
        "unproven": list(found.strange),
    }


def _document(hop: Hop, rows: Rows) -> dict[str, Any]:
    steps = [_told(step, rows) for step in hop.steps]
    return {"node": hop.node, "enters": hop.enters, "leaves": hop.leaves, "steps": steps}


def _told(step: Step, rows: Rows) -> dict[str, Any]:
    ruling, translation = step.ruling, step.translation
    return {
        "hook": step.hook,
        "packet": str(step.packet),
        "verdict": ruling.verdict,
        "chain": ruling.chain,
        "rule": ruling.words,
        "declared": rows.get(ruling.comment),
        "unless": list(ruling.unless),
        "becomes": None if translation is None else str(translation.packet),
        "translation": None if translation is None else translation.words,
    }
