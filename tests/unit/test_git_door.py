"""git-door: which commands it knows, which names it takes for repositories, and what ls and rm do."""

import re
from pathlib import Path

import pytest

from tests.unit.program import program

door = program("git-ssh", "door.py")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ls", ("ls",)),
        (" ls ", ("ls",)),
        ("mk dots", ("mk", "dots")),
        ("rm tools/dots", ("rm", "tools/dots")),
        ("git-upload-pack '/dots.git'", ("git-upload-pack", "/dots.git")),
        ("git upload-pack 'dots'", ("git-upload-pack", "dots")),
        ("git-receive-pack 'private/x'", ("git-receive-pack", "private/x")),
        ("git-lfs-transfer '/dots.git' upload", ("git-lfs-transfer", "/dots.git", "upload")),
        ("git-lfs-transfer dots download", ("git-lfs-transfer", "dots", "download")),
    ],
)
def test_known(command: str, words: tuple[str, ...]) -> None:
    assert door.parse(command) == words


@pytest.mark.parametrize(
    "command",
    [
        "",
        "sh",
        "ls x",
        "mk",
        "mk a b",
        "rm",
        "git",
        "git config x",
        "git-shell 'x'",
        "git-lfs-transfer x",
        "git-lfs-transfer x delete",
        "git-lfs-authenticate x upload",
    ],
)
def test_unknown(command: str) -> None:
    with pytest.raises(door.Refused):
        door.parse(command)


@pytest.mark.parametrize(
    ("name", "path"),
    [("dots", "dots.git"), ("/dots.git", "dots.git"), ("a/b/c", "a/b/c.git"), ("fabric.json", "fabric.json.git")],
)
def test_place(tmp_path: Path, name: str, path: str) -> None:
    assert door.place(name, tmp_path) == tmp_path / path


@pytest.mark.parametrize(
    "name",
    ["", "/", "..", ".", "../x", "a/../b", ".hidden", "-x", "--help", "a/b/c/d", "a//b", "x y", "x\n", "a.git/hooks",
     "private", "releases/x", "~x", "*"],
)  # fmt: skip
def test_no_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(door.Refused):
        door.place(name, tmp_path)


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/out").symlink_to(tmp_path)
    with pytest.raises(door.Refused, match="goes through a link"):
        door.place("out/x", tmp_path / "root")


def test_listed_and_removed(tmp_path: Path) -> None:
    for name in ("b", "a", "private/x", "tools/deep/y"):
        (tmp_path / f"{name}.git/refs").mkdir(parents=True)
        (tmp_path / f"{name}.git/HEAD").touch()
    (tmp_path / "a.git/refs/out").symlink_to(tmp_path / "b.git")
    (tmp_path / "empty.git").mkdir()
    assert sorted(door.listed(tmp_path)) == ["a", "b", "private/x", "tools/deep/y"]
    door.act(("rm", "a"), tmp_path)
    assert sorted(door.listed(tmp_path)) == ["b", "private/x", "tools/deep/y"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.git", "empty.git", "private", "tools"]
    with pytest.raises(door.Refused, match="there is no repository 'empty'"):
        door.act(("rm", "empty"), tmp_path)


def test_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git takes over; what is public bears the mark that cgit looks for."""
    became: list[tuple[object, ...]] = []
    monkeypatch.setattr(door, "become", lambda *words: became.append(words))
    door.act(("mk", "dots"), tmp_path)
    door.act(("mk", "private/dots"), tmp_path)
    assert [words[0] for words in became] == ["init", "init"]
    assert (tmp_path / "dots.git" / door.EXPORTED).exists()
    assert not (tmp_path / "private/dots.git" / door.EXPORTED).exists()
    with pytest.raises(door.Refused, match="already"):
        door.act(("mk", "dots"), tmp_path)


def test_a_push_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a fetch is not."""
    monkeypatch.setattr(door, "become", lambda *_: None)
    (tmp_path / "dots.git").mkdir()
    (tmp_path / "dots.git/HEAD").touch()
    noted = tmp_path / "dots.git" / door.AGE
    door.act(("git-upload-pack", "dots"), tmp_path)
    assert not noted.exists()
    door.act(("git-receive-pack", "dots"), tmp_path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000\n", noted.read_text())


@pytest.mark.parametrize("argv", [["git-door"], ["-git-door"], ["git-door", "-c", "sh"], ["git-door", "-i", "ls"]])
def test_says_why_not(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(argv) == 1
    assert capsys.readouterr().err.startswith("git-door: ")


def test_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed over to git-lfs-transfer where the image has it, and refused in words where not."""
    (tmp_path / "dots.git").mkdir()
    (tmp_path / "dots.git/HEAD").touch()
    became: list[tuple[object, ...]] = []
    monkeypatch.setattr(door, "turn_into", lambda *words: became.append(words))
    monkeypatch.setattr(door, "LFS", tmp_path / "git-lfs-transfer")
    with pytest.raises(door.Refused, match="this image has no git-lfs-transfer"):
        door.act(("git-lfs-transfer", "dots", "upload"), tmp_path)
    door.LFS.touch()
    door.act(("git-lfs-transfer", "dots", "upload"), tmp_path)
    assert became == [(door.LFS, tmp_path / "dots.git", "upload")]
