"""Processes in an instance's namespaces that belong to none of its containers (law 1).

A container's processes are told by their cgroup: below the instance's own, in the scope podman names after the
container (cgroups(7), /proc/PID/cgroup). A thread of the judges that looks into a namespace leaves its process'
own namespace where it is, and is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from provision.render.podman import cgroup_parent
from specs.instance import Instance

PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True, order=True)
class ActualProcess:
    node: str
    pid: int
    command: str


def read(instance: Instance, places: Mapping[str, Path]) -> tuple[ActualProcess, ...]:
    """Every foreign process in the namespaces `places` (node -> path), by node and pid."""
    nodes = {inode: node for node, path in places.items() if (inode := _inode(path)) is not None}
    parent = cgroup_parent(instance)
    return tuple(sorted(_foreign(nodes, parent)))


def _foreign(nodes: Mapping[int, str], parent: str) -> Iterator[ActualProcess]:
    for folder in PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        node = nodes.get(_inode(folder / "ns/net") or 0)
        if node is not None and not _contained(folder, parent):
            yield ActualProcess(node=node, pid=int(folder.name), command=_text(folder / "comm"))


def _contained(folder: Path, parent: str) -> bool:
    paths = (line.split(":", 2)[-1] for line in _text(folder / "cgroup").splitlines())
    return any(path.startswith(f"{parent}/") for path in paths)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:  # it ended meanwhile, or is a kernel thread's
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
