"""master-backup where the kernel has no ZFS: it says so in its log, and stays."""

from pathlib import Path

import pytest

from specs.instance import Instance
from tests.services.test_datastore import pid_of


@pytest.mark.skipif("zfs" in Path("/proc/filesystems").read_text(), reason="this kernel has ZFS: it is at work")
def test_says_that_it_is_idle(instance: Instance) -> None:
    conmon = Path(f"/proc/{pid_of(instance, 'master-backup')}/status").read_text()
    parent = next(line.split()[1] for line in conmon.splitlines() if line.startswith("PPid:"))
    words = Path(f"/proc/{parent}/cmdline").read_text().split("\0")
    log = Path(words[words.index("-l") + 1].removeprefix("k8s-file:"))
    assert "backup: this kernel has no ZFS: no snapshots are made and nothing is copied" in log.read_text()
