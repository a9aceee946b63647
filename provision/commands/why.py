"""why: which way a packet takes, which rules decide, and the spec row behind it, or the one that would be."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision import told
from provision.commands import meaning, names, opening
from provision.errors import UsageError
from provision.grant import Entry, Grant, Member, Never, Row
from provision.kernel import require_root
from provision.say import Voice
from provision.why import Answer, Question, answer, declared_at
from specs import document, guard
from specs.model import Estate, Image, Renderer

UNBAN = "/usr/bin/python3 -B /usr/bin/fail2ban-client set site unbanip"
LINKS = "links.yaml"
DARK = 2


def run(options: argparse.Namespace, voice: Voice) -> int:
    estate, instance = opening.opened(options, voice)
    question = Question(
        source=names.end(estate, options.source), target=names.end(estate, options.target), port=options.port
    )
    if question.source == question.target:
        raise UsageError(f"{options.source} and {options.target} are one namespace: its loopback passes everything")
    require_root()
    places = meaning.asked(estate, instance, declared=options.declared).places
    found = answer(estate, places, question)
    rows = declared_at(estate)
    wanted = change(options.estate, found.grant) if found.grant is not None and not found.allowed else None
    if options.json:
        heading = {"estate": estate.name, "profile": estate.profile, "instance": instance.name}
        voice.document(json.dumps(heading | _document(found, rows, wanted, options), indent=2))
    verdict = "unproven" if found.strange else "allowed" if found.allowed else "dark"
    voice.line(f"{verdict}: {question}, {meaning.told(declared=options.declared)}")
    for line in (*told.lines(found, rows), *_declaration(estate, found, options)):
        voice.line(f"  {line}")
    if wanted is not None:
        voice.line(f"  {wanted.text}")
        for line in wanted.lines:  # as they must read, to be copied
            voice.line(line)
    return 0 if verdict == "allowed" else DARK


def _declaration(estate: Estate, found: Answer, options: argparse.Namespace) -> list[str]:
    """The spec row behind it."""
    if found.flow is None:
        return ["no flow declares it: `plan` says what differs"] if found.allowed else []
    row = f"declared: {found.flow.source} (link {found.flow.link})"
    if found.allowed or options.declared:
        return [row]
    return [row, *(_banned(estate, found) or ["and yet not so: `plan` says what differs"])]


def _banned(estate: Estate, found: Answer) -> list[str]:
    """A ban is nothing that differs: whose it is, and how it is lifted before its time."""
    steps = (step for hop in (found.journey.hops if found.journey else ()) for step in hop.steps)
    kept = [step.packet.saddr for step in steps if step.ruling.chain.split()[:1] == [guard.BANNED]]
    keepers = (one.name for one in estate.containers if _renders(estate.image(one.image), Renderer.FAIL2BAN))
    lifts = (f": `enter {keeper} --all -- {UNBAN} {kept[0]}` lifts it" for keeper in keepers if kept)
    return [f"{kept[0]} is banned for now{next(lifts, '')}"] if kept else []


def _renders(image: Image, renderer: Renderer) -> bool:
    return any(rendered.renderer is renderer for rendered in image.rendered)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to write: `text` says where, `lines` as they must read there; none where no change would do."""

    text: str
    lines: tuple[str, ...] = ()


def change(folder: Path, grant: Grant) -> Change:
    """What to write into the links.yaml of `folder`, or why there is nothing to write."""
    match grant:
        case Never(law=law):
            return Change(text=f"no spec change allows it: {law}")
        case Member(whitelist=name, source=source):
            return Change(text=f"an address more on the whitelist `{name}` ({source}) would allow it, for itself alone")
        case Row():
            pad = " " * _indent(folder)
            lines = tuple(f"{pad}{line}" for line in grant.lines())
            return Change(text=f"one more row at the end of {LINKS} would allow it:", lines=lines)
        case Entry(link=link, text=text):
            return _entry(folder, link.name, text)


def _entry(folder: Path, link: str, text: str) -> Change:
    """The row's `allow:` with the entry."""
    place, lines = document.read(folder, LINKS), _lines(folder)
    said: Any = place.data
    index = next(at for at, row in enumerate(said["links"]) if row.get("name") == link)
    if text in (said["links"][index].get("metal") or ()):
        row = place.lines["links", index, "metal"]
        return Change(text=f"it is declared for metal alone ({LINKS}:{row}), and off in the lab")
    at = place.lines.get(("links", index, "allow"))
    if at is None:
        last = place.lines["links", index, "b"]
        pad = " " * _set_in(lines[last - 1])
        return Change(text=f"a line behind {LINKS}:{last} would allow it:", lines=(f"{pad}allow: [{text}]",))
    line = lines[at - 1]
    if "]" in line:
        head, _, tail = line.rpartition("]")
        comma = "" if head.rstrip().endswith("[") else ", "
        return Change(text=f"{LINKS}:{at} would allow it as:", lines=(f"{head}{comma}{text}]{tail}",))
    first = lines[place.lines["links", index, "allow", 0] - 1]
    return Change(text=f"a line behind {LINKS}:{at} would allow it:", lines=(f"{first.partition('-')[0]}- {text}",))


def _indent(folder: Path) -> int:
    """How far the rows of links.yaml are set in."""
    place, lines = document.read(folder, LINKS), _lines(folder)
    rows = [line for path, line in place.lines.items() if len(path) == 2 and path[0] == "links"]
    return _set_in(lines[rows[0] - 1]) if rows else 2


def _lines(folder: Path) -> list[str]:
    return (folder / LINKS).read_text(encoding="utf-8-sig").splitlines()


def _set_in(line: str) -> int:
    return len(line) - len(line.lstrip())


def _document(found: Answer, rows: told.Rows, wanted: Change | None, options: argparse.Namespace) -> dict[str, Any]:
    question = found.question
    return {
        "from": question.source,
        "to": question.target,
        "port": "icmp" if question.port is None else str(question.port),
        "asked": "declared" if options.declared else "running",
        "allowed": found.allowed,
        "flow": str(found.flow.source) if found.flow is not None else None,
        **told.document(found, rows),
        "change": None if wanted is None else {"text": wanted.text, "lines": wanted.lines},
    }
