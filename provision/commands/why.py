"""why: which way a packet takes, which rules decide, and the spec row behind it, or the one that would be."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from provision import told
from provision.commands import meaning, names, opening
from provision.errors import UsageError
from provision.grant import Entry, Grant, Never, Row
from provision.kernel import require_root
from provision.say import Voice
from provision.why import Answer, Question, answer, declared_at
from specs import document

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
    if options.json:
        heading = {"estate": estate.name, "profile": estate.profile, "instance": instance.name}
        voice.document(json.dumps(heading | _document(found, rows, options), indent=2))
    verdict = "allowed" if found.allowed else "dark"
    voice.line(f"{verdict}: {question}, {meaning.told(declared=options.declared)}")
    for line in _lines(found, rows, options):
        voice.line(f"  {line}")
    return 0 if found.allowed else DARK


def _lines(found: Answer, rows: told.Rows, options: argparse.Namespace) -> list[str]:
    return [*told.lines(found, rows), *_declaration(found, options)]


def _declaration(found: Answer, options: argparse.Namespace) -> list[str]:
    """The spec row, or the change that would make one."""
    if found.flow is not None:
        told = [f"declared: {found.flow.source} (link {found.flow.link})"]
        return told if found.allowed or options.declared else [*told, "and yet not so: `plan` says what differs"]
    undeclared = ["no flow declares it: `plan` says what differs"] if found.allowed else []
    return [*undeclared, *([] if found.grant is None or found.allowed else change(options.estate, found.grant))]


def change(folder: Path, grant: Grant) -> list[str]:
    """What to write into links.yaml, or why there is nothing to write."""
    match grant:
        case Never(law=law):
            return [f"no spec change allows it: {law}"]
        case Row():
            pad = " " * _indent(folder)
            return [f"it would be allowed by one more row in {LINKS}:", *(f"{pad}{line}" for line in grant.lines())]
        case Entry(link=link, text=text):
            return [f"it would be allowed by `{text}` at link {link.name}:", *_entry(folder, link.name, text)]


def _entry(folder: Path, link: str, text: str) -> list[str]:
    """The line of the row's `allow:` with the entry, as it must then read."""
    place = document.read(folder, LINKS)
    said: Any = place.data
    index = next(at for at, row in enumerate(said["links"]) if row.get("name") == link)
    lines = (folder / LINKS).read_text(encoding="utf-8-sig").splitlines()
    at = place.lines.get(("links", index, "allow"))
    if at is None:
        return [f"{LINKS}:{place.lines['links', index, 'b']}, behind it:", f"    allow: [{text}]"]
    line = lines[at - 1]
    if "]" in line:
        head, _, tail = line.rpartition("]")
        comma = "" if head.rstrip().endswith("[") else ", "
        return [f"{LINKS}:{at}:", f"{head}{comma}{text}]{tail}"]
    return [f"{LINKS}:{at}, one more below it:", f"      - {text}"]


def _indent(folder: Path) -> int:
    """How far the rows of links.yaml are set in."""
    place = document.read(folder, LINKS)
    lines = (folder / LINKS).read_text(encoding="utf-8-sig").splitlines()
    first = next((line for path, line in place.lines.items() if len(path) == 2 and path[0] == "links"), None)
    return 2 if first is None else len(lines[first - 1]) - len(lines[first - 1].lstrip())


def _document(found: Answer, rows: told.Rows, options: argparse.Namespace) -> dict[str, Any]:
    question = found.question
    return {
        "from": question.source,
        "to": question.target,
        "port": "icmp" if question.port is None else str(question.port),
        "asked": "declared" if options.declared else "running",
        "allowed": found.allowed,
        "flow": str(found.flow.source) if found.flow is not None else None,
        **told.document(found, rows),
        "change": None if found.grant is None or found.allowed else change(options.estate, found.grant),
    }
