"""images --prune: images of the instance's store that nothing needs go, and archives that no instance holds."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures import run
from fixtures.scratch import Scratch, bare, scratch
from specs.instance import STATE_VARIABLE

IMAGES = ("lighttpd", "lbmt-darkroom", "lbmt-weblog")


def test_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With archives of its own, for --prune looks at all there are on the machine."""
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    folder = bare(tmp_path / "pluto", but=IMAGES)
    with scratch(folder) as made, scratch(folder) as other:
        made.apply()
        other.apply()
        assert "nothing to do" in made.pluto("images", "--prune").stdout
        (old,) = made.instance.images.glob("lbmt-weblog-*.tar")
        page = folder / "images/lbmt-weblog/www/index.html"
        page.write_text(page.read_text() + "\n")
        made.apply()

        asked = made.pluto("images", "--prune")
        assert (asked.code, "give --yes" in asked.stderr) == (64, True)
        image = old.stem.replace("weblog-", "weblog:")
        assert prunes(asked) == [f"image {image} of this instance"], "the other holds the archive"
        assert made.pluto("images", "--prune", "lbmt-weblog").code == 64
        assert made.pluto("images", "--prune", "--yes").code == 0
        assert "nothing to do" in made.pluto("images", "--prune").stdout
        assert old.exists()

        other.apply()
        with making(old.parent):
            busy = other.pluto("images", "--prune", "--yes")
            assert (busy.code, "another process is making images" in busy.stderr) == (1, True)
        told = json.loads(other.pluto("images", "--prune", "--yes", "--json").stdout)["removed"]
        assert told["archives"] == [str(old)]
        assert told["bytes"] > 1_000_000
        assert {path.stem for path in old.parent.glob("lbmt-weblog-*.tar")} == {f"lbmt-weblog-{weblog(made)}"}
        assert not old.with_suffix(".sbom.json").exists()
        assert [made.plan(), other.plan()] == [[], []]


def prunes(done: run.Done) -> list[str]:
    return [line.removeprefix("  - ") for line in done.stdout.splitlines() if line.startswith("  - ")]


def weblog(made: Scratch) -> str:
    """The tag of its image that is in force."""
    (image,) = json.loads(made.pluto("images", "lbmt-weblog", "--offline", "--json").stdout)["images"]
    tag: str = image["tag"]
    return tag


@contextmanager
def making(archives: Path) -> Iterator[None]:
    """As while another process makes images."""
    handle = os.open(archives, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)
