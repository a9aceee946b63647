"""The judges of containers on evidence where one container is otherwise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest

from fixtures.judge.container import WHOLE
from fixtures.judge.everything import everything
from fixtures.judge.mount import IDMAPPED, exclusive
from fixtures.observe.cgroup import Limits
from fixtures.observe.container import Contained, log_bytes
from fixtures.observe.evidence import Evidence
from fixtures.observe.mount import MountPoint, parse
from fixtures.verdict import Outcome, against
from specs.model import LOG_BYTES
from tests.unit.ideal import ESTATE, INSTANCE, ideal

NAME = "unit.reverse-proxy-edge"
CGROUP = "/sys/fs/cgroup"
SEEN = ("ro", "nosuid", "nodev", "noexec", "relatime")  # as podman would have it
ROOT = MountPoint(at="/", root="/", device="0:1", filesystem="overlay", options=("rw",))
OTHERWISE: dict[str, dict[str, Any]] = {
    "another namespace": {"netns": 4026531840},
    "the initial user namespace": {"uid_map": WHOLE},
    "root": {"uid": 0},
    "a capability": {"capabilities": {"CapEff": 1 << 12, "CapBnd": 0}},
    "a bounding set": {"capabilities": {"CapBnd": 1 << 21}},
    "privileges to gain": {"no_new_privileges": False},
    "no seccomp": {"seccomp": 0},
    "a device": {"devices": ("/dev/null", "/dev/net/tun")},
    "a disk among the terminals": {"devices": ("/dev/pts/0", "/dev/pts/sda")},
    "a name server": {"resolv_conf": "nameserver 192.0.2.1\n"},
    "a name": {"hosts": "127.0.0.1 localhost\n192.0.2.2 host.containers.internal\n"},
    "a log without end": {"log_bytes": None},
    "a longer log": {"log_bytes": LOG_BYTES + 1},
    "no memory limit": {"limits": Limits(memory=None, pids=128, cpus=1.0)},
}


def changed(**fields: Any) -> Evidence:
    seen = ideal()
    return replace(seen, containers=tuple(replace(c, **fields) if c.name == NAME else c for c in seen.containers))


def edge() -> Contained:
    found = ideal().container(NAME)
    assert found is not None
    return found


def subjects(seen: Evidence) -> set[str]:
    """What is broken, for nothing is unproven."""
    found = against(everything(seen, ESTATE, INSTANCE))
    assert all(verdict.outcome is Outcome.BROKEN for verdict in found)
    return {verdict.subject.split(" (")[0] for verdict in found}


def test_an_open_terminal_is_no_device_of_its_own() -> None:
    """As while somebody visits the game's console: the audit finds nothing wrong with that."""
    assert subjects(changed(devices=("/dev/null", "/dev/pts/ptmx", "/dev/pts/0", "/dev/pts/12"))) == set()


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_rights(otherwise: str) -> None:
    assert "container reverse-proxy-edge" in subjects(changed(**OTHERWISE[otherwise]))


MOUNTS = {
    "a writable image": lambda seen: (ROOT, *seen[1:]),
    "a folder of the machine": lambda seen: (*seen, replace(ROOT, at="/etc/shadow", root="/etc/shadow")),
    "a device": lambda seen: (*seen, replace(ROOT, at="/dev/sda", root="/sda", filesystem="devtmpfs")),
    "an open /proc/sys": lambda seen: (*seen, replace(ROOT, at="/proc/sys", root="/sys", filesystem="proc")),
    "another source": lambda seen: tuple(replace(m, root="/etc") if m.at == "/data" else m for m in seen),
    "a setuid volume": lambda seen: tuple(replace(m, options=("rw",)) if m.at == "/data" else m for m in seen),
    "a volume less": lambda seen: tuple(m for m in seen if m.at != "/data"),
    "a cgroup that is seen": lambda seen: (*seen, replace(ROOT, at=CGROUP, filesystem="cgroup2", options=SEEN)),
    "a cgroup of version 1": lambda seen: (*seen, replace(ROOT, at=f"{CGROUP}/cpu", filesystem="cgroup", options=SEEN)),
    "a writable folder of cgroups": lambda seen: tuple(
        replace(m, options=("rw", *SEEN[1:])) if m.at == CGROUP else m for m in seen
    ),
    "cgroups not hidden": lambda seen: tuple(m for m in seen if m.at != CGROUP),
    "a sysfs": lambda seen: tuple(replace(m, filesystem="sysfs") if m.at == "/sys" else m for m in seen),
}


@pytest.mark.parametrize("otherwise", MOUNTS)
def test_mounts(otherwise: str) -> None:
    assert subjects(changed(mounts=MOUNTS[otherwise](edge().mounts))) == {"mounts of reverse-proxy-edge"}


def test_a_waiver_of_the_user_namespace_shows_no_cgroup() -> None:
    seen = of("host-bans", lambda mounts: (*mounts, replace(ROOT, at=CGROUP, filesystem="cgroup2", options=SEEN)))
    assert subjects(seen) == {"mounts of host-bans"}


def test_a_read_only_mount_that_can_be_written_is_named() -> None:
    seen = tuple(replace(m, options=("rw", "nosuid", "nodev")) if "Caddyfile" in m.at else m for m in edge().mounts)
    assert subjects(changed(mounts=seen)) == {"mounts of reverse-proxy-edge"}


def ids_on_disk(seen: tuple[MountPoint, ...]) -> tuple[MountPoint, ...]:
    return tuple(replace(m, options=tuple(set(m.options) - {IDMAPPED})) for m in seen)


def test_an_owner_without_a_map_is_named() -> None:
    assert subjects(of("git-web", ids_on_disk)) == {"mounts of git-web"}


def test_a_map_that_no_owner_asks_for_is_named() -> None:
    seen = tuple(replace(m, options=(*m.options, IDMAPPED)) if m.at == "/data" else m for m in edge().mounts)
    assert subjects(changed(mounts=seen)) == {"mounts of reverse-proxy-edge"}


BACKUPS = str(INSTANCE.bind(PurePosixPath("/zfs/backup")))


@pytest.mark.parametrize("root", [BACKUPS, f"{BACKUPS}/storage", str(INSTANCE.home / "host/zfs"), "/"])
def test_who_sees_the_backups_is_named(root: str) -> None:
    """The folder itself, one below, one above, the whole file system; by whatever name."""
    strange = replace(ROOT, at="/srv/strange", root=root, device="8:1", filesystem="ext4")
    seen = of("git-web", lambda mounts: (*mounts, strange))
    keeper = ESTATE.container("master-backup")
    (verdict,) = against(exclusive(seen, ESTATE, keeper))
    assert (verdict.outcome, "unit.git-web has /srv/strange" in verdict.seen) == (Outcome.BROKEN, True)
    assert against(exclusive(of("git-web", lambda mounts: mounts), ESTATE, keeper)) == ()


def test_another_file_system_or_a_folder_beside_is_no_backup() -> None:
    beside = replace(ROOT, at="/srv/strange", root=f"{BACKUPS}2", device="8:1")
    elsewhere = replace(ROOT, at="/srv/stranger", root=BACKUPS, device="9:9")
    seen = of("git-web", lambda mounts: (*mounts, beside, elsewhere))
    assert against(exclusive(seen, ESTATE, ESTATE.container("master-backup"))) == ()


def test_backups_that_nobody_has_prove_nothing() -> None:
    seen = of("master-backup", lambda mounts: tuple(m for m in mounts if m.at != "/srv/backup"))
    (verdict,) = against(exclusive(seen, ESTATE, ESTATE.container("master-backup")))
    assert verdict.outcome is Outcome.UNPROVEN


def of(container: str, change: Callable[[tuple[MountPoint, ...]], tuple[MountPoint, ...]]) -> Evidence:
    """Evidence where the mounts of one container are otherwise."""
    seen, name = ideal(), f"unit.{container}"
    return replace(
        seen, containers=tuple(replace(c, mounts=change(c.mounts)) if c.name == name else c for c in seen.containers)
    )


@pytest.mark.parametrize(
    ("driver", "bound", "cut_at"),
    [
        ("k8s-file:/c/ctr.log", "1048576", 1 << 20),
        ("k8s-file:/c/ctr.log", "-1", None),
        ("journald", "1048576", None),
    ],
)
def test_where_conmon_cuts_a_log(driver: str, bound: str, cut_at: int | None) -> None:
    assert log_bytes({"-l": driver, "--log-size-max": bound}) == cut_at
    assert log_bytes({"-l": driver}) is None


def test_a_dead_container_is_named() -> None:
    seen = ideal()
    alive = tuple(each for each in seen.containers if each.name != NAME)
    processes = tuple(each for each in seen.processes if each.pid != edge().pid)
    named = subjects(replace(seen, containers=alive, processes=processes))
    assert named == {"container reverse-proxy-edge", "mounts of reverse-proxy-edge"}


KERNELS = pytest.mark.parametrize("kernel_wireguard", [False, True], ids=["wireguard-go", "wireguard of the kernel"])


@KERNELS
def test_tunnels_are_of_the_kernel_where_it_can(kernel_wireguard: bool) -> None:
    """There nothing runs for them; here something does: each evidence is right of its own kernel alone."""
    seen, other = ideal(kernel_wireguard=kernel_wireguard), ideal(kernel_wireguard=not kernel_wireguard)
    assert subjects(seen) == set()
    named = {f"container {name}" for name in ("vpn-edge", "laptop", "phone")}
    assert subjects(replace(seen, containers=other.containers, stored=other.stored)) & named == named


def test_no_container_runs_beside_the_kernels_tunnel() -> None:
    """One that is left over from another kernel, even a dead one, is named twice: by its name, and as one too many."""
    seen = ideal(kernel_wireguard=True)
    left = subjects(replace(seen, stored=(*seen.stored, "unit.vpn-edge")))
    assert left == {"container vpn-edge", f"containers of {ESTATE.name}"}


def test_mountinfo_with_a_blank_in_a_path() -> None:
    line = r"36 35 98:0 /mnt\0401 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
    (found,) = parse(line)
    assert (found.at, found.root, found.filesystem, found.writable) == ("/mnt 2", "/mnt 1", "ext3", True)
