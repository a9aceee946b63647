"""Which version of a package the distribution has now: its own signed index, asked by the family's own tools.

Debian's index is kept in STATE/cache, one a suite, and only what changed is fetched: the machine's own suite is another
than the images', so its own apt lists do not tell. The mirrors are the machine's own, as for a build.
"""

from __future__ import annotations

import fcntl
import platform
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from provision.errors import CommandError, HostError, NoIndexError
from provision.image.bootstrap import KEYRING, SID, Mirror, alpine_root, debian_mirrors, serving
from provision.image.recipe import Family
from provision.run import run

CACHE = "cache"  # below the state folder
UPDATE_SECONDS = 180.0  # the first time: some 10 MB; then what changed
ASK_SECONDS = 60.0
ENGLISH = {"LC_ALL": "C"}


def newest(names: Collection[str], *, family: Family, suite: str, cache: Path) -> dict[str, str]:
    """The version that a build would get now of each package in `names`; one that is gone is left out.

    `cache` is STATE/cache. Raises NoIndexError where no index can be had.
    """
    if not names:
        return {}
    folder = cache / "index" / f"{family}-{suite}"
    try:
        with _alone(folder):
            match family:
                case Family.DEBIAN:
                    return _debian(sorted(names), suite, folder)
                case Family.ALPINE:
                    return _alpine(sorted(names), folder)
                case _:
                    assert_never(family)
    except (CommandError, HostError, OSError) as error:
        raise NoIndexError(f"the {family} {suite} package index cannot be asked: {error}") from error


def is_newer(there: str, held: str, family: Family) -> bool:
    """Whether the family takes version `there` for newer than `held`. Raises CommandError."""
    if there == held:
        return False
    match family:
        case Family.DEBIAN:
            argv = ("dpkg", "--compare-versions", there, "gt", held)
            return run(argv, timeout=ASK_SECONDS, accept=(0, 1)).returncode == 0
        case Family.ALPINE:
            return run(("apk", "version", "--test", there, held), timeout=ASK_SECONDS).stdout.strip() == ">"
        case _:
            assert_never(family)


def apt_options(folder: Path, suite: str) -> tuple[str, ...]:
    """apt.conf(5): lists, cache and status in `folder`, the one sources.list there; all else is the machine's."""
    options = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
        "APT::Sandbox::User": "root",  # _apt may not enter the state folder
        **({"Acquire::Check-Valid-Until": "false"} if suite == SID else {}),  # see bootstrap.SID
    }
    return tuple(word for key, value in options.items() for word in ("-o", f"{key}={value}"))


def sources(suite: str, mirrors: tuple[Mirror, ...]) -> str:
    """The index that mmdebstrap reads in a build: the same mirrors, suites and keyring."""
    return "".join(f"{mirror.line(suite, f'[signed-by={KEYRING}] ')}\n" for mirror in serving(suite, mirrors))


def parse_apt(text: str) -> dict[str, str]:
    """`apt-cache policy NAME...` -> the candidate of each; `(none)` is none."""
    found = re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)$", text, re.MULTILINE)
    return {name: version for name, version in found if version != "(none)"}


def parse_apk(text: str) -> dict[str, tuple[str, ...]]:
    """`apk policy NAME...` -> every version of each, as its repositories have them."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.splitlines():
        if heading := re.fullmatch(r"(\S+) policy:", line):
            name = heading[1]
        elif version := re.fullmatch(r"  (\S+):", line):
            found[name] = (*found.get(name, ()), version[1])
    return found


def _debian(names: list[str], suite: str, folder: Path) -> dict[str, str]:
    for below in ("state/lists/partial", "cache/archives/partial"):
        (folder / below).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(sources(suite, debian_mirrors()))
    options = apt_options(folder, suite)
    run(("apt-get", *options, "update", "--error-on=any"), timeout=UPDATE_SECONDS, env=ENGLISH)
    return parse_apt(run(("apt-cache", *options, "policy", *names), timeout=ASK_SECONDS, env=ENGLISH).stdout)


def _alpine(names: list[str], folder: Path) -> dict[str, str]:
    apk = alpine_root(folder, machine=platform.machine())
    run((*apk, "add", "--initdb", "--no-scripts"), timeout=ASK_SECONDS)
    run((*apk, "update"), timeout=UPDATE_SECONDS)
    return dict(_latest(parse_apk(run((*apk, "policy", *names), timeout=ASK_SECONDS).stdout)))


def _latest(versions: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for name, known in versions.items():
        best = known[0]
        for version in known[1:]:
            best = version if is_newer(version, best, Family.ALPINE) else best
        yield name, best


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """`folder` for one process at a time: apt would refuse a second one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
