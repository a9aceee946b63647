"""What the kernel makes of a ruleset's text: loaded into a namespace of its own, and read back.

The answer is a function of the text, the nft program and the kernel, and is remembered under their hash. It is
no state: without it, it is found out again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from dataclasses import asdict
from pathlib import Path

from provision.facts import ruleset
from provision.facts.ruleset import ActualRuleset
from provision.kernel import in_new
from provision.netlink import NETLINK_NETFILTER, Socket
from provision.run import SYSTEM_PATH, run

LOAD = ("nft", "--file", "-")
LOAD_SECONDS = 30.0


def compiled(text: str, cache: Path) -> ActualRuleset:
    """The ruleset `text` becomes. CommandError when nft refuses it."""
    memory = cache / f"{_key(text)}.json"
    try:
        kept = json.loads(memory.read_text())
        return ActualRuleset(**{**kept, "flows": frozenset(kept["flows"])})
    except (OSError, ValueError, TypeError, KeyError):
        found = in_new(lambda: _try(text))
    cache.mkdir(parents=True, exist_ok=True)
    draft = memory.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({**asdict(found), "flows": sorted(found.flows)}))
    draft.replace(memory)
    return found


def _try(text: str) -> ActualRuleset:
    run(LOAD, stdin=text, timeout=LOAD_SECONDS)
    opened = Socket(NETLINK_NETFILTER)
    try:
        return ruleset.read(opened)
    finally:
        opened.close()


def _key(text: str) -> str:
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    version = Path(program).stat().st_mtime_ns if program else 0
    seed = f"{platform.release()}\0{version}\0{ruleset.__doc__}\0{text}"
    return hashlib.sha256(seed.encode()).hexdigest()
