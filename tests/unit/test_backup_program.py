"""master-backup's program: when it has nothing to work with, and the order of a round."""

import pytest

from tests.unit.program import program

backup = program("master-backup", "backup.py")
WITH, WITHOUT = "nodev\tproc\n\text4\nnodev\tzfs\n", "nodev\tproc\n\text4\nnodev\tfuse\n"


def test_why_it_is_idle() -> None:
    assert backup.absent(WITHOUT, device=True) == "this kernel has no ZFS"
    assert backup.absent(WITH, device=False) == "there is no /dev/zfs here"
    assert backup.absent(WITH, device=True) is None


@pytest.mark.parametrize(
    ("number", "programs"), [(0, ["sanoid", "syncoid"]), (1, ["sanoid"]), (4, ["sanoid", "syncoid"])]
)
def test_a_round(number: int, programs: list[str]) -> None:
    ran: list[str] = []

    def succeed(argv: tuple[str, ...]) -> int:
        ran.append(argv[0].rpartition("/")[2])
        return 0

    assert backup.turn(number, succeed) == []
    assert ran == programs


def test_no_copy_without_snapshots() -> None:
    ran: list[str] = []

    def fail(argv: tuple[str, ...]) -> int:
        ran.append(argv[0])
        return 2

    assert backup.turn(0, fail) == ["sanoid ended with 2; it is tried again"]
    assert len(ran) == 1


def test_runs_to_the_end() -> None:
    assert (backup.run(("/bin/true",)), backup.run(("/bin/false",))) == (0, 1)
