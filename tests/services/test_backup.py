"""master-backup where the kernel has no ZFS: it says so in its log, and stays."""

from pathlib import Path

import pytest

from fixtures.contained import logged
from specs.instance import Instance


@pytest.mark.skipif("zfs" in Path("/proc/filesystems").read_text(), reason="this kernel has ZFS: it is at work")
def test_says_that_it_is_idle(instance: Instance) -> None:
    told = "backup: this kernel has no ZFS: no snapshots are made and nothing is copied"
    assert told in logged(instance, "master-backup")
