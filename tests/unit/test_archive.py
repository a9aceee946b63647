"""Evidence is captured once a run, kept as files, the newest few, and an old file is judged or refused."""

import json
from pathlib import Path

import pytest

from fixtures.archive import KEPT, Archive
from fixtures.observe.evidence import Unreadable, dump, load
from tests.unit.ideal import ideal


def test_one_run_captures_once(tmp_path: Path) -> None:
    archive = Archive(folder=tmp_path / "evidence")
    contents = iter([b"1", b"2", b"3"])
    paths = [archive.once("ab", "state", lambda: next(contents)) for _ in range(3)]
    assert len(set(paths)) == 1
    assert next(contents) == b"2"
    assert archive.once("cd", "state", lambda: b"3") not in paths


def test_the_newest_are_kept(tmp_path: Path) -> None:
    archive = Archive(folder=tmp_path)
    paths = [archive.once(f"{run:x}", "state", lambda: b"{}") for run in range(KEPT + 3)]
    assert [entry.path for entry in archive.entries("state")] == paths[3:]


def test_another_kind_is_another_file(tmp_path: Path) -> None:
    archive = Archive(folder=tmp_path)
    assert archive.once("ab", "state", lambda: b"1").read_bytes() == b"1"
    assert archive.once("ab", "matrix", lambda: b"2").read_bytes() == b"2"


def test_a_capture_that_fails_leaves_nothing(tmp_path: Path) -> None:
    archive = Archive(folder=tmp_path)

    def fail() -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        archive.once("ab", "state", fail)
    assert archive.entries("state") == ()


def test_evidence_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(dump(ideal()))
    assert load(path) == ideal()


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_what_is_no_evidence_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(Unreadable, match=r"a\.json"):
        load(path)


def test_evidence_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(json.loads(dump(ideal())) | {"format": 99}))
    with pytest.raises(Unreadable, match="99"):
        load(path)
