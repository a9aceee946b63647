"""master-backup where the kernel has no ZFS: it says so in its log, and stays; its pool is nobody else's."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from uuid import uuid4

import pytest

from fixtures.contained import logged
from fixtures.container import pids
from specs import naming
from specs.instance import Instance
from specs.model import Estate
from tests.services.conftest import interfaces


@pytest.mark.skipif("zfs" in Path("/proc/filesystems").read_text(), reason="this kernel has ZFS: it is at work")
def test_says_that_it_is_idle(instance: Instance) -> None:
    told = "backup: this kernel has no ZFS: no snapshots are made and nothing is copied"
    assert told in logged(instance, "master-backup")


@pytest.fixture
def marks(instance: Instance) -> Iterator[dict[str, str]]:
    """A new file in each of the two pools, of the datastore and of the backups: pool -> its name."""
    names = {pool: f"test-{uuid4().hex[:8]}" for pool in ("/zfs/storage", "/zfs/backup")}
    files = [instance.bind(PurePosixPath(pool)) / name for pool, name in names.items()]
    for file in files:
        file.touch()
    yield names
    for file in files:
        file.unlink()


def test_nobody_else_sees_the_backups(instance: Instance, estate: Estate, marks: dict[str, str]) -> None:
    """Each container asked by its own mounts. The control: the datastore's file is seen by all who have it."""
    running = pids(instance)

    def seeing(pool: str) -> set[str]:
        return {name for name, pid in running.items() if under_its_mounts(pid, marks[pool])}

    having = {c.name for c in estate.containers if "/zfs/storage" in {mount.origin for mount in c.mounts}}
    assert len(having) > 2
    assert seeing("/zfs/storage") == {naming.container(instance.name, name) for name in having}
    assert seeing("/zfs/backup") == {naming.container(instance.name, "master-backup")}


def under_its_mounts(pid: int, name: str) -> set[str]:
    """Where a file of that name lies at the root of one of the process's mounts (proc_pid_mountinfo(5))."""
    points = {line.split()[4] for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()}
    return {point for point in points if os.path.lexists(f"/proc/{pid}/root{point}/{name}")}


def test_has_no_network(place: Callable[[str], Path]) -> None:
    """The loopback alone; the control is a neighbour of its module, which has a wire besides."""
    assert interfaces(place("master-backup")) == {"lo"}
    assert interfaces(place("master-ssh")) > {"lo"}
