"""The named network namespaces of an instance."""

from __future__ import annotations

from pathlib import Path

from provision.kernel import NETNS_FOLDER, is_namespace
from specs import naming


def path(instance: str, node: str) -> Path:
    return NETNS_FOLDER / naming.netns(instance, node)


def read(instance: str) -> tuple[tuple[str, bool], ...]:
    """The node names of every entry of the instance, each with whether a namespace is really mounted there."""
    prefix = naming.netns(instance, "")
    try:
        found = [entry.name for entry in NETNS_FOLDER.iterdir() if entry.name.startswith(prefix)]
    except FileNotFoundError:
        found = []
    return tuple((name.removeprefix(prefix), is_namespace(NETNS_FOLDER / name)) for name in sorted(found))
