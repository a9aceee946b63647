"""Owned mounts (decision 010) removed or added by hand are one op each; what lies behind them stays."""

from pathlib import Path, PurePosixPath

from fixtures import run
from fixtures.scratch import Scratch


def owned(made: Scratch, container: str) -> Path:
    (found,) = (made.instance.owned / container).iterdir()
    return found


def test_unmounted_is_one_op(whole: Scratch) -> None:
    target = owned(whole, "git-web")
    run.run(("umount", str(target)))
    source = whole.instance.bind(PurePosixPath("/zfs/storage/git"))
    assert whole.plan() == [f"+ owned mount git-web: {source}"]
    whole.apply()
    assert whole.plan() == []


def test_another_folder_in_its_place_is_one_op(whole: Scratch, tmp_path: Path) -> None:
    target = owned(whole, "git-web")
    run.run(("mount", "--bind", str(tmp_path), str(target)))
    assert len(whole.plan()) == 1
    whole.apply()
    assert whole.plan() == []
    assert list(tmp_path.iterdir()) == []


def test_undeclared_is_taken_away(whole: Scratch, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    strange = whole.instance.owned / "stranger"
    strange.mkdir()
    run.run(("mount", "--bind", str(tmp_path), str(strange)))
    assert whole.plan() == [f"- owned mount {strange}"]
    whole.apply()
    assert whole.plan() == []
    assert (tmp_path / "kept").exists()
