"""down removes what is the instance's, all of it, and nothing else (law 5)."""

from itertools import pairwise
from pathlib import Path

from fixtures import run
from fixtures.scratch import Scratch, bare, scratch

CGROUPS = Path("/sys/fs/cgroup")


def traces(name: str) -> list[str]:
    """Whatever on this machine bears the instance's name: namespaces, mounts, cgroups, processes, folders."""
    namespaces = [path.name for path in Path("/run/netns").glob(f"{name}.*")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if name in line]
    cgroups = [str(path) for path in CGROUPS.glob(f"**/pluto/{name}")]
    processes = [str(path.parent) for path in Path("/proc").glob("[0-9]*/cmdline") if name in cmdline(path)]
    folders = [str(path) for path in (Path("/run/pluto") / name,) if path.exists()]
    return [*namespaces, *mounts, *cgroups, *processes, *folders]


def cmdline(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_leaves_nothing() -> None:
    with scratch() as made:
        made.apply()
        assert len(traces(made.instance.name)) > 50
        assert made.pluto("down", "--data").code == 0
        assert traces(made.instance.name) == []
        assert not made.instance.home.exists()


def test_keeps_data_unless_told(unmade: Scratch) -> None:
    unmade.apply()
    kept = unmade.instance.secrets / "tunnel" / "hub.key"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("kept")
    done = unmade.pluto("down")
    assert done.code == 0
    assert f"kept: {unmade.instance.secrets}" in done.stdout
    assert kept.read_text() == "kept"
    assert traces(unmade.instance.name) == []


def test_twice_is_fine(unmade: Scratch) -> None:
    unmade.apply()
    assert unmade.pluto("down").code == 0
    again = unmade.pluto("down")
    assert again.code == 0
    assert "nothing was there" in again.stdout


def test_two_side_by_side(unmade: Scratch, tmp_path: Path) -> None:
    """Two instances of one estate, same addresses and names inside, and neither sees the other come or go."""
    with scratch(bare(tmp_path / "other")) as other:
        unmade.apply()
        other.apply()
        assert unmade.plan() == []
        assert other.plan() == []
        other.ip("git-web", "link del pub-git-web")
        assert unmade.plan() == []
    assert unmade.plan() == []


def test_id_ranges_of_instances_are_disjoint() -> None:
    with scratch() as one, scratch() as other:
        one.apply()
        other.apply()
        ranges = sorted([*id_ranges(one), *id_ranges(other)])
        assert len(ranges) == len(id_ranges(one)) + len(id_ranges(other)) >= 8
        assert all(first[1] <= second[0] for first, second in pairwise(ranges))


def id_ranges(made: Scratch) -> list[tuple[int, int]]:
    """[first, past the last) of the machine's ids of each container of the instance that has its own."""
    found = set()
    for node in ("lbmt-weblog", "lbmt-darkroom", "reverse-proxy-edge"):
        for pid in run.run(("ip", "netns", "pids", made.netns(node))).split():
            inside, outside, size = Path(f"/proc/{pid}/uid_map").read_text().split()
            assert inside == "0"
            if outside == "0":  # a declared waiver: the machine's own user namespace, see Waiver.userns_host
                continue
            found.add((int(outside), int(outside) + int(size)))
    return sorted(found)


def test_takes_along_what_a_killed_apply_left(tmp_path: Path) -> None:
    """podman's service is a process of its own, and outlives the apply that started it when that is killed."""
    with scratch() as made:
        started = run.start(made.argv("apply", "--yes"))
        assert started.stdout is not None
        next(line for line in started.stdout if "+ container " in line and line.startswith("  ["))
        started.kill()
        started.communicate()
        assert any("/proc/" in trace for trace in traces(made.instance.name))
        assert made.pluto("down", "--data").code == 0
        assert traces(made.instance.name) == []
