"""Owned mounts (decision 010) removed or added by hand are one op each; what lies behind them stays."""

import os
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


def test_folder_of_another_is_given_back_with_what_he_left(whole: Scratch, tmp_path: Path) -> None:
    """A path that gets its owner later: what the container wrote before is his as well; root's own file and what a
    link names are not touched."""
    folder = whole.instance.bind(PurePosixPath("/zfs/storage/fotografija/shop"))
    owner, before = folder.stat().st_uid, 2_000_000_001
    kept, outside = folder / "roots", tmp_path / "outside"
    (folder / "inner").mkdir()
    (folder / "inner/link").symlink_to(outside)
    for path in (kept, outside, folder / "inner/copy"):
        path.touch()
    for path in (folder, folder / "inner", folder / "inner/copy", outside):
        os.chown(path, before, before)
    assert whole.plan() == [f"~ folder {folder}"]
    whole.apply()
    assert whole.plan() == []
    assert {path.stat().st_uid for path in (folder, folder / "inner", folder / "inner/copy")} == {owner}
    assert (kept.stat().st_uid, outside.stat().st_uid) == (0, before)


def test_folder_on_the_way_is_the_owners(whole: Scratch) -> None:
    way = whole.instance.bind(PurePosixPath("/zfs/storage/fotografija"))
    os.chown(way, 0, 0)
    assert whole.plan() == [f"~ folder {way}"]
    whole.apply()
    assert way.stat().st_uid == (way / "shop").stat().st_uid
