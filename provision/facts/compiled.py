"""What the kernel makes of a ruleset's text: loaded into a namespace of its own, and read back.

The answer is a function of the text, the nft program and the kernel, and is remembered under their hash: what the
kernel holds then (facts.ruleset), and beside it the listing that tells what it means (facts.listing), which is only
read where a meaning is asked for. It is no state: without it, it is found out again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from dataclasses import asdict, fields
from pathlib import Path

from provision.facts import listing, ruleset
from provision.facts.listing import Listing
from provision.facts.ruleset import ActualRuleset
from provision.kernel import in_new
from provision.netlink import NETLINK_NETFILTER, Socket
from provision.run import SYSTEM_PATH, run
from specs.instance import Instance

LOAD = ("nft", "--file", "-")
LOAD_SECONDS = 30.0


def memories(instance: Instance) -> Path:
    """Where is remembered what rulesets become: it is the same for every instance."""
    return instance.state / "cache/rulesets"


def compiled(text: str, cache: Path) -> ActualRuleset:
    """The ruleset `text` becomes. CommandError when nft refuses it."""
    try:
        kept = json.loads(_memory(text, cache).read_text())
        return ActualRuleset(**{**kept, "pieces": tuple((what, digest) for what, digest in kept["pieces"])})
    except (OSError, ValueError, TypeError, KeyError):
        return _found_out(text, cache)[0]


def listed(text: str, cache: Path) -> Listing:
    """How nft lists what `text` becomes. CommandError when nft refuses it."""
    try:
        kept = json.loads(listing_memory(text, cache).read_text())
        return Listing(**{**kept, "objects": tuple(kept["objects"]), "doubted": frozenset(kept["doubted"])})
    except (OSError, ValueError, TypeError, KeyError):
        return _found_out(text, cache)[1]


def _found_out(text: str, cache: Path) -> tuple[ActualRuleset, Listing]:
    found, told = in_new(lambda: _try(text))
    cache.mkdir(parents=True, exist_ok=True)
    _remember(listing_memory(text, cache), {**asdict(told), "doubted": sorted(told.doubted)})
    _remember(_memory(text, cache), asdict(found))
    return found, told


def _try(text: str) -> tuple[ActualRuleset, Listing]:
    run(LOAD, stdin=text, timeout=LOAD_SECONDS)
    opened = Socket(NETLINK_NETFILTER)
    try:
        return ruleset.read(opened), listing.read({})
    finally:
        opened.close()


def listing_memory(text: str, cache: Path) -> Path:
    """Where the listing of what `text` becomes is remembered; made anew with what the kernel holds."""
    return cache / f"{key(text)}.listing.json"


def _memory(text: str, cache: Path) -> Path:
    return cache / f"{key(text)}.json"


def _remember(memory: Path, value: object) -> None:
    draft = memory.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(value))
    draft.replace(memory)


def key(text: str) -> str:
    """The hash of all that decides what `text` becomes."""
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    version = Path(program).stat().st_mtime_ns if program else 0
    kept = ",".join(each.name for each in fields(ActualRuleset))
    seed = f"{platform.release()}\0{version}\0{ruleset.__doc__}\0{kept}\0{text}"
    return hashlib.sha256(seed.encode()).hexdigest()
