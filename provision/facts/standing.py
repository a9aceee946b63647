"""As whom and with what a container's first process stands, by /proc: what a program beside it may have at most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provision.errors import HostError

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
Span = tuple[int, int, int]  # a line of uid_map: inside, outside, count (user_namespaces(7))


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """Bit sets, as capabilities(7) names them."""

    effective: int
    permitted: int
    inheritable: int
    bounding: int
    ambient: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Ids are those inside its user namespace."""

    pid: int
    uid: int
    gid: int
    groups: tuple[int, ...]
    umask: int
    capabilities: Capabilities
    own_users: bool  # whether its user namespace is another than the machine's
    cgroups: tuple[Path, ...]  # one a hierarchy


def read(pid: int) -> Standing:
    """Of the process `pid`. HostError when it has ended."""
    home = PROC / str(pid)
    try:
        return parse(
            pid=pid,
            status=(home / "status").read_text(errors="replace"),
            uid_map=(home / "uid_map").read_text(),
            gid_map=(home / "gid_map").read_text(),
            cgroup=(home / "cgroup").read_text(errors="replace"),
            own_users=(home / "ns/user").readlink() != (PROC / "self/ns/user").readlink(),
        )
    except (FileNotFoundError, ProcessLookupError) as error:
        raise HostError(f"process {pid} has just ended: ask again") from error


def parse(*, pid: int, status: str, uid_map: str, gid_map: str, cgroup: str, own_users: bool) -> Standing:
    """By what the files of /proc/PID say. HostError where its user is none of its own user namespace's."""
    said = {key: value.split() for key, _, value in (line.partition(":") for line in status.splitlines())}
    users, groups = _spans(uid_map), _spans(gid_map)
    uid, gid = _inside(users, int(said["Uid"][1])), _inside(groups, int(said["Gid"][1]))
    if uid is None or gid is None:
        raise HostError(f"the user of process {pid} has no id in its own user namespace")
    sets = (int(said[f"Cap{name}"][0], 16) for name in ("Eff", "Prm", "Inh", "Bnd", "Amb"))
    effective, permitted, inheritable, bounding, ambient = sets
    return Standing(
        pid=pid,
        uid=uid,
        gid=gid,
        groups=tuple(one for one in (_inside(groups, int(word)) for word in said["Groups"]) if one is not None),
        umask=int(said["Umask"][0], 8),
        capabilities=Capabilities(
            effective=effective, permitted=permitted, inheritable=inheritable, bounding=bounding, ambient=ambient
        ),
        own_users=own_users,
        cgroups=tuple(_cgroups(cgroup)),
    )


def _spans(text: str) -> tuple[Span, ...]:
    lines = ([int(word) for word in line.split()] for line in text.splitlines())
    return tuple((inside, outside, count) for inside, outside, count in lines)


def _inside(spans: tuple[Span, ...], outside: int) -> int | None:
    return next((start + outside - first for start, first, count in spans if first <= outside < first + count), None)


def _cgroups(text: str) -> Iterator[Path]:
    """Where each line of /proc/PID/cgroup (cgroups(7)) stands below the machine's mounts."""
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        unified = number == "0" and not controllers
        root = CGROUPS / ("unified" if unified else controllers.removeprefix("name="))
        yield (CGROUPS if unified and not root.is_dir() else root) / path.lstrip("/")
