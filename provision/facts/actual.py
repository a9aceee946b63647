"""Facts that span nouns: all namespaces of an instance, containers in their places, files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provision.diff_network import ActualNetworks
from provision.facts import netns, network, process
from provision.facts.container import ActualContainer
from provision.facts.secret import ActualSecret
from specs.instance import Instance


@dataclass(frozen=True, kw_only=True)
class ActualFile:
    text: str | None  # None: absent or unreadable as text
    owner: int
    mode: int


@dataclass(frozen=True, kw_only=True)
class ActualWorkload:
    containers: tuple[ActualContainer, ...]
    misplaced: frozenset[str]  # podman names of running containers that are not in the namespace of their node
    secrets: tuple[ActualSecret, ...]
    owned: tuple[Path, ...] = ()  # where host paths with an owner are mounted


def read_networks(instance: Instance, keys: Mapping[str, Iterable[str]]) -> ActualNetworks:
    """Every declared namespace there is, and the name of every one that bears the instance's mark."""
    entries = netns.read(instance.name)
    return ActualNetworks(
        networks={
            node: network.read(netns.path(instance.name, node), keys[node])
            for node, mounted in entries
            if mounted and node in keys
        },
        entries=entries,
        processes=process.read(
            instance, {node: netns.path(instance.name, node) for node, mounted in entries if mounted and node in keys}
        ),
    )


def misplaced(found: Iterable[ActualContainer], places: Mapping[str, Path]) -> frozenset[str]:
    """The running containers that are not in the namespace of their node; `places`: podman name -> namespace."""
    return frozenset(c.name for c in found if c.running and c.name in places and not _placed(c, places[c.name]))


def _placed(found: ActualContainer, place: Path) -> bool:
    try:
        return Path(f"/proc/{found.pid}/ns/net").stat().st_ino == place.stat().st_ino
    except OSError:
        return False


def read_file(path: Path) -> ActualFile | None:
    """A file's text, owner and mode bits; None when there is none."""
    try:
        status = path.lstat()
        text = None if path.is_dir() else path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        text = None
        status = path.lstat()
    return ActualFile(text=text, owner=status.st_uid, mode=status.st_mode & 0o7777)
