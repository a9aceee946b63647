"""As whom a container's first process stands, from recorded /proc, and who needs whom when one is stopped."""

from pathlib import Path

import pytest

from provision.errors import HostError
from provision.facts import standing
from provision.facts.standing import Standing
from provision.neighbours import in_order, lacking, needs, standing_on
from specs.load import load

STATUS = """Name:\tsshd
Umask:\t0022
Uid:\t2250637312\t2250637312\t2250637312\t2250637312
Gid:\t2250637313\t2250637313\t2250637313\t2250637313
Groups:\t2250637313 2250638312 27
CapInh:\t0000000000000000
CapPrm:\t00000000000400c0
CapEff:\t0000000000000080
CapBnd:\t00000000000400c0
CapAmb:\t0000000000000040
NoNewPrivs:\t1
"""
MAP = "         0 2250637312      65536\n"
CGROUP = "8:pids:/pluto/lab/libpod-1\n9:name=systemd:/pluto/lab/libpod-1\n0::/pluto/lab/libpod-1\n"


def stands(status: str = STATUS) -> Standing:
    return standing.parse(pid=7, status=status, uid_map=MAP, gid_map=MAP, cgroup=CGROUP, own_users=True)


def test_ids_are_told_as_inside() -> None:
    found = stands()
    assert (found.uid, found.gid, found.umask) == (0, 1, 0o022)
    assert found.groups == (1, 1000)  # 27 is the machine's, and none of its own


def test_capabilities() -> None:
    held = stands().capabilities
    assert (held.effective, held.permitted, held.bounding, held.ambient) == (0x80, 0x400C0, 0x400C0, 0x40)


def test_a_user_that_is_none_of_its_own() -> None:
    with pytest.raises(HostError, match="has no id"):
        stands(STATUS.replace("2250637312", "0"))


def test_cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unified hierarchy is beside the others on one machine, and alone on another."""
    monkeypatch.setattr(standing, "CGROUPS", tmp_path)
    below = "pluto/lab/libpod-1"
    assert stands().cgroups[2] == tmp_path / below
    (tmp_path / "unified").mkdir()
    assert stands().cgroups == tuple(tmp_path / each / below for each in ("pids", "systemd", "unified"))


def test_needs() -> None:
    known = needs(load().containers)
    running = {each.container for each in known} | {"minecraft-server"}
    told = [str(one) for one in standing_on(known, {"minecraft-server", "minecraft-map"}, running)]
    assert told == [
        "minecraft-backup depends on minecraft-server",
        "minecraft-map-render depends on minecraft-server",
        "minecraft-rcon shares the network of minecraft-server",
        "minecraft-ttyd-rcon depends on minecraft-server",
    ]
    assert [one.other for one in lacking(known, {"minecraft-rcon"}, running - {"minecraft-server"})] == [
        "minecraft-server"
    ]
    assert lacking(known, {"minecraft-rcon", "minecraft-server"}, set()) == ()
    assert in_order(known, ["minecraft-rcon", "git-ssh", "minecraft-server", "minecraft-map"]) == (
        "git-ssh",
        "minecraft-server",
        "minecraft-map",
        "minecraft-rcon",
    )
