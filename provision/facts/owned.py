"""Which id-mapped mounts of host paths there are, and whether each shows what it should: by stat(2) of both ends."""

from __future__ import annotations

from pathlib import Path

from provision import mounts
from provision.idmapped import OVERFLOW
from provision.render.order import Owned
from specs.instance import Instance


def stands(wanted: Owned) -> bool:
    """Whether `target` is `source`, with the owner's id shown as the container's."""
    try:
        real, shown = wanted.source.stat(), wanted.target.stat()
    except FileNotFoundError:
        return False
    same = (real.st_dev, real.st_ino) == (shown.st_dev, shown.st_ino)
    uid = wanted.outside if real.st_uid == wanted.owner else OVERFLOW
    gid = wanted.outside if real.st_gid == wanted.owner else OVERFLOW
    return same and (shown.st_uid, shown.st_gid) == (uid, gid)


def mounted(instance: Instance) -> tuple[Path, ...]:
    """Every mount in the folder of such mounts."""
    return mounts.below(instance.owned, Path("/proc/self/mountinfo").read_text())
