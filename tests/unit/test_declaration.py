"""What is remembered of a declaration is what reading it anew would give, and nothing else is ever taken for it."""

import os
import shutil
from pathlib import Path

import pytest

from provision import declaration
from specs.instance import DEFAULT_FOLDER
from specs.load import load
from specs.model import Profile
from specs.problems import SpecError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "estate"))


def memories(state: Path) -> list[Path]:
    return sorted(state.glob("cache/estates/*"))


def test_remembered_is_the_same(folder: Path, tmp_path: Path) -> None:
    first = declaration.load(folder, Profile.LAB, tmp_path)
    (memory,) = memories(tmp_path)
    before = memory.stat().st_mtime_ns
    assert declaration.load(folder, Profile.LAB, tmp_path) == first == load(folder)
    assert memory.stat().st_mtime_ns == before
    assert memory.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("estate.yaml", "lbmt.example", "lbmt.invalid"),
        ("links.yaml", "10.254.1.", "10.254.2."),
        ("modules/frangisk.yaml", "memory: 64M", "memory: 65M"),
        ("images/lbmt-weblog/image.yaml", "html/blog", "html/blok"),
    ],
)
def test_what_is_edited_is_read_anew(folder: Path, tmp_path: Path, file: str, old: str, new: str) -> None:
    before = declaration.load(folder, Profile.LAB, tmp_path)
    path = folder / file
    times = path.stat()
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # an editor that keeps times hides nothing
    after = declaration.load(folder, Profile.LAB, tmp_path)
    assert after != before
    assert after == load(folder)


def test_profiles_are_told_apart(folder: Path, tmp_path: Path) -> None:
    declaration.load(folder, Profile.LAB, tmp_path)
    assert declaration.load(folder, Profile.METAL, tmp_path) == load(folder, Profile.METAL)


def test_a_file_that_goes_or_comes_is_seen(folder: Path, tmp_path: Path) -> None:
    declaration.load(folder, Profile.LAB, tmp_path)
    (folder / "stray.yaml").write_text("a: 1\n")
    with pytest.raises(SpecError, match="nothing reads this file"):
        declaration.load(folder, Profile.LAB, tmp_path)
    (folder / "stray.yaml").unlink()
    shutil.rmtree(folder / "images/lbmt-weblog/www")
    with pytest.raises(SpecError, match="missing file `www`"):
        declaration.load(folder, Profile.LAB, tmp_path)
    assert len(memories(tmp_path)) == 1


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04K\x01."])
def test_a_broken_memory_is_none(folder: Path, tmp_path: Path, content: bytes) -> None:
    declaration.load(folder, Profile.LAB, tmp_path)
    memories(tmp_path)[0].write_bytes(content)
    assert declaration.load(folder, Profile.LAB, tmp_path) == load(folder)


def test_what_others_may_write_is_not_read(folder: Path, tmp_path: Path) -> None:
    declaration.load(folder, Profile.LAB, tmp_path)
    (memory,) = memories(tmp_path)
    forged = declaration.load(folder, Profile.METAL, tmp_path)
    (other,) = set(memories(tmp_path)) - {memory}
    shutil.copyfile(other, memory)
    assert declaration.load(folder, Profile.LAB, tmp_path) == forged  # the control: it is read
    memory.chmod(0o622)
    assert declaration.load(folder, Profile.LAB, tmp_path) == load(folder)


def test_only_the_newest_are_kept(folder: Path, tmp_path: Path) -> None:
    path = folder / "estate.yaml"
    for number in range(declaration.KEPT + 2):
        path.write_text(path.read_text() + f"# {number}\n")
        declaration.load(folder, Profile.LAB, tmp_path)
    assert len(memories(tmp_path)) == declaration.KEPT


def test_without_a_place_to_remember(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "file"
    state.touch()
    assert declaration.load(folder, Profile.LAB, state) == load(folder)
