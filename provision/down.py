"""Take an instance away: its containers, namespaces and podman; the owner's data only when he says so."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from provision import idrange, kernel, mounts
from provision.context import Context
from provision.facts import container, netns
from provision.ops.container import remove
from provision.podman import remove_cgroups
from provision.wait import wait, within

# What an owner would miss; everything else of an instance is made again from the specs.
DATA = ("volumes", "host", "secrets", "evidence", "epochs.json", "store")
REMOVE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was there and is gone."""

    containers: tuple[str, ...]
    nodes: tuple[str, ...]
    kept: tuple[Path, ...]

    @property
    def nothing(self) -> bool:
        return not self.containers and not self.nodes


def down(context: Context, *, data: bool) -> Taken:
    """Remove all that bears the instance's mark. Nothing of another instance is touched; doing it twice is fine."""
    instance = context.instance
    found = container.read(context.podman)
    for one in found:
        remove(context.podman, one.name)
    context.podman.close()
    context.podman.end_leftover()
    nodes = tuple(node for node, _ in netns.read(instance.name))
    for node in nodes:
        path = context.netns(node)
        context.kernel.forget(path)
        kernel.remove(path)
    remove_cgroups(instance)
    _remove_folders(context, data=data)
    idrange.release(instance)
    kept = () if data else tuple(instance.home / name for name in DATA if (instance.home / name).exists())
    if not kept and instance.home.is_dir():
        shutil.rmtree(instance.home)
    return Taken(containers=tuple(one.node for one in found), nodes=nodes, kept=kept)


def _remove_folders(context: Context, *, data: bool) -> None:
    # A container's last overlay may be unmounted, or mounted once more, by the `podman container cleanup` of a conmon
    # that is just ending: one for each container that was removed, and on a busy machine they take their time.
    wait(
        lambda: _removed(context, data=data),
        deadline=within(REMOVE_SECONDS),
        what=f"{context.instance.home} to be free",
    )


def _removed(context: Context, *, data: bool) -> bool:
    """Whether all that goes is gone; False where somebody still mounts or writes there (rmdir(2), unlink(2))."""
    instance = context.instance
    context.podman.end_leftover()
    try:
        for folder in (instance.run, instance.home):
            mounts.detach_below(folder)
        _remove(instance.run)
        if instance.home.is_dir():
            for entry in instance.home.iterdir():
                if data or entry.name not in DATA:
                    _remove(entry)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENOTEMPTY, errno.ENOENT):
            raise
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
