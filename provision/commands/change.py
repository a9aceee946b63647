"""How a plan is told: in lines, and as a document."""

from __future__ import annotations

from typing import Any

from provision.op import Action
from provision.plan import Plan
from provision.say import Voice


def document(found: Plan) -> dict[str, Any]:
    return {
        "ops": [
            {"action": op.action.name.lower(), "noun": op.noun, "subject": op.subject, "text": op.describe()}
            for op in found.ops
        ],
        "restarts": found.restarts,
        "reach": {"gained": found.gained, "lost": found.lost},
        "waiting": [{"container": name, "why": why} for name, why in found.waiting],
    }


def tell(found: Plan, voice: Voice) -> None:
    for op in found.ops:
        voice.line(f"  {voice.sign(op.action)} {op.describe()}")
    if not found.ops:
        voice.line("nothing to do")
    for name, why in found.waiting:
        voice.line(f"  waits: {name}: {why}")
    for name in found.restarts:
        voice.line(f"  restarts: {name}")
    for flow in found.gained:
        voice.line(f"  {voice.sign(Action.MAKE)} reach gained: {flow}")
    for flow in found.lost:
        voice.line(f"  {voice.sign(Action.REMOVE)} reach lost: {flow}")
    if found.ops:
        voice.line(f"{len(found.ops)} to do")
