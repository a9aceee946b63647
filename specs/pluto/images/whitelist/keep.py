"""Keep the whitelists' sets of one namespace: who is declared, and whom the declared names stand for.

    host      asks the resolver for each name ── records what it stands for ── makes the sets so
    an edge                                      reads what is recorded    ── makes the sets so

A name that does not answer keeps its last good addresses, over a restart as well. A set is changed only where it
differs, in one transaction, and whatever is in it beyond that is taken out. The record's form: specs/whitelist.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from ask import NoAnswer, ask

TOLD = Path("/etc/whitelists.json")
ROUND = 10.0  # seconds between two questions for a name
LOOK = 5.0  # seconds between two looks at a set: what somebody did to it is undone before it counts as drift
SOON = 2.0  # seconds until what failed is tried again: a name that has never answered, a set that nft did not change
GLANCE = 1.0  # seconds between two glances at the record
NFT, NFT_SECONDS = "/usr/sbin/nft", 10.0
Entry = dict[str, Any]
Entries = dict[str, Entry]


def main() -> None:
    signal.signal(signal.SIGTERM, _end)  # process 1 has no default action
    told = json.loads(TOLD.read_text())
    resolver, record = told["resolver"], Path(told["record"])
    inside = [IPv4Network(each) for each in told["inside"]]
    say("asks " + resolver if resolver else "follows the record")
    due = 0.0  # when the names are asked for again
    while True:
        seen = changed(record)  # first: what is recorded from here on is another look's
        entries = read(record)
        if resolver and time.monotonic() >= due:
            names = [name for one in told["sets"].values() for name in one["names"]]
            entries = asked(entries, names, lambda name: outer(ask(resolver, name), inside), time.time)
            write(record, entries)
            due = time.monotonic() + (ROUND if all(each["good"] for each in entries.values()) else SOON)
        until = time.monotonic() + (LOOK if keep(told["sets"], entries, inside) else SOON)
        while (left := until - time.monotonic()) > 0 and (resolver or changed(record) == seen):
            Event().wait(min(left, GLANCE))


def asked(
    known: Entries, names: Iterable[str], resolve: Callable[[str], Iterable[IPv4Address]], now: Callable[[], float]
) -> Entries:
    """The entries of the names, each asked for once; one that does not answer keeps what it had."""
    return {name: _asked(known.get(name, {}), name, resolve, now) for name in names}


def _asked(known: Entry, name: str, resolve: Callable[[str], Iterable[IPv4Address]], now: Callable[[], float]) -> Entry:
    had = known.get("addresses", [])
    entry = {"addresses": had, "before": [], "since": now(), "good": None, "failed": None} | known
    try:
        found = [str(each) for each in resolve(name)]
    except NoAnswer as error:
        if entry["failed"] != str(error):
            say(f"{name}: {error}; it keeps {', '.join(had) or 'nothing'}")
        return entry | {"asked": now(), "failed": str(error)}
    answered = now()  # not when the question was put: from here on the sets have their seconds to follow
    if found != had:
        say(f"{name} is {', '.join(found)}")
        entry |= {"addresses": found, "before": had, "since": answered}
    return entry | {"asked": answered, "good": answered, "failed": None}


def outer(found: Iterable[IPv4Address], inside: Iterable[IPv4Network]) -> tuple[IPv4Address, ...]:
    """The addresses, all of which can be somebody's out there. Raises NoAnswer: a name must open nothing else."""
    known = tuple(found)
    for each in known:
        other = each.is_loopback or each.is_multicast or each.is_unspecified or each.is_reserved or each.is_link_local
        if other or any(each in network for network in inside):
            raise NoAnswer(f"{each} is no address of the internet")
    return known


def keep(sets: Mapping[str, Mapping[str, list[str]]], entries: Entries, inside: Iterable[IPv4Network]) -> bool:
    """Make each set hold the declared addresses and the recorded ones; whether each does."""
    kept = True
    for name, one in sets.items():
        recorded = [each for known in one["names"] for each in entries.get(known, {}).get("addresses", ())]
        wanted = {IPv4Address(each) for each in one["addresses"]} | {
            each for each in map(IPv4Address, recorded) if not any(each in network for network in inside)
        }
        try:
            held = listed(nft("--json", "list", "set", "inet", "pluto", name))
            if held != wanted:
                nft("--file", "-", stdin=transaction(name, held, wanted))
                say(f"{name}: {', '.join(map(str, sorted(wanted))) or 'nobody'}")
        except (subprocess.SubprocessError, ValueError) as error:
            say(f"{name} is as it was: {getattr(error, 'stderr', None) or error}")
            kept = False
    return kept


def transaction(name: str, held: set[IPv4Address], wanted: set[IPv4Address]) -> str:
    """What makes the set so. Each address was parsed: nothing else is ever written to nft."""
    steps = [f"delete element inet pluto {name} {{ {each} }}\n" for each in sorted(held - wanted)]
    return "".join((*steps, *(f"add element inet pluto {name} {{ {each} }}\n" for each in sorted(wanted - held))))


def listed(text: str) -> set[IPv4Address]:
    """The elements that nft's listing tells, those with a life of their own as well. Raises ValueError."""
    (found,) = (each["set"] for each in json.loads(text)["nftables"] if "set" in each)
    return {IPv4Address(each["elem"]["val"] if isinstance(each, dict) else each) for each in found.get("elem", ())}


def nft(*words: str, stdin: str | None = None) -> str:
    """What the program prints. Raises subprocess.SubprocessError."""
    done = subprocess.run((NFT, *words), input=stdin, text=True, capture_output=True, check=True, timeout=NFT_SECONDS)
    return done.stdout


def read(record: Path) -> Entries:
    """What is recorded; nothing where there is no record, or one that cannot be read."""
    try:
        found = json.loads(record.read_text())["names"]
        return {str(name): dict(entry) for name, entry in found.items() if _valid(entry)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _valid(entry: Entry) -> bool:
    return all(IPv4Address(each) for each in entry["addresses"])


def write(record: Path, entries: Entries) -> None:
    """Whole or not at all, also when the machine loses its power: the last good addresses are nowhere else."""
    fresh = record.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(json.dumps({"names": entries}, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(record)


def changed(record: Path) -> int:
    """When the record was written, in nanoseconds; 0 while there is none."""
    try:
        return record.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def say(text: str) -> None:
    print(f"whitelist: {text}", flush=True)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
