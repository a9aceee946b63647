"""Builds from put files alone, which need neither mirror nor root; their op, and the readers of facts."""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
import threading
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from provision.errors import ApplyError
from provision.facts import image as facts
from provision.image import assemble, bootstrap, build, tag
from provision.image.assemble import Entry
from provision.image.recipe import Family, Recipe
from provision.ops.image import BuildImage
from specs.model import Jail, PutFile
from tests.unit.small_image import IMAGE, with_pages

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_pages(tmp_path)


def site(folder: Path, *, base: Recipe | None = None, name: str = "site") -> Recipe:
    image = replace(IMAGE, name=name, packages=(), programs=(), base=None if base is None else base.name)
    wanted = tag.tag(image, folder, family="debian", suite="trixie", base=None if base is None else base.tag)
    return Recipe(image=image, family=Family.DEBIAN, folder=folder, base=base, tag=wanted)


class TestBuild:
    """Images of put files alone: they need neither mirror nor root."""

    def test_makes_archive_and_sbom_and_leaves_nothing_else(self, folder: Path, tmp_path: Path) -> None:
        recipe, images = site(folder), tmp_path / "images"
        archive = build.build(recipe, images=images, cache=tmp_path / "cache")
        assert sorted(path.name for path in images.iterdir()) == [f"{recipe.stem}.sbom.json", f"{recipe.stem}.tar"]
        with tarfile.open(archive) as tar:
            assert {"srv/www/index.html", "srv/www/deep/page.html", "etc/l.conf", "tmp"} <= set(tar.getnames())
        assert facts.archives(images) == {recipe.stem}

    def test_a_base_comes_first(self, folder: Path, tmp_path: Path) -> None:
        recipe = site(folder, base=site(folder, name="below"), name="above")
        build.build(recipe, images=tmp_path / "images", cache=tmp_path / "cache")
        assert {stem.split("-")[0] for stem in facts.archives(tmp_path / "images")} == {"above", "below"}

    def test_a_refused_image_leaves_nothing(self, folder: Path, tmp_path: Path) -> None:
        shell = PutFile(origin="www/index.html", at=PurePosixPath("/bin/sh"), executable=True)
        recipe = site(folder)
        recipe = replace(recipe, image=replace(recipe.image, put=(shell,)))
        with pytest.raises(ApplyError, match=r"image.yaml:1: image site may not be made so:\n  /bin/sh is a shell"):
            build.build(recipe, images=tmp_path / "images", cache=tmp_path / "cache")
        assert list((tmp_path / "images").iterdir()) == []

    def test_a_jail_holds_its_programs_once_more(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unpacked(root: Path, **_: object) -> None:
            (root / "usr/bin").mkdir(parents=True)
            (root / "usr/bin/one").write_text("one")
            (root / "usr/bin/two").write_text("two")

        monkeypatch.setattr(bootstrap, "bootstrap", unpacked)
        jail = Jail(at=PurePosixPath("/srv"), programs=(PurePosixPath("/usr/bin/two"),))
        image = replace(IMAGE, programs=(PurePosixPath("/usr/bin/one"),), jail=jail)
        recipe = replace(site(folder), image=image)
        with tarfile.open(build.build(recipe, images=tmp_path / "images", cache=tmp_path / "cache")) as tar:
            names = set(tar.getnames())
        assert {"usr/bin/one", "srv/usr/bin/two"} <= names
        assert not {"usr/bin/two", "srv/usr/bin/one"} & names

    def test_what_a_killed_build_left_is_cleared_away(self, folder: Path, tmp_path: Path) -> None:
        recipe, images = site(folder), tmp_path / "images"
        left = images / f".{recipe.stem}.making/root/usr"
        left.mkdir(parents=True)
        (left / "half").write_text("x")
        build.build(recipe, images=images, cache=tmp_path / "cache")
        assert not (images / f".{recipe.stem}.making").exists()

    def test_several_at_once_make_one(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[float] = []
        write = assemble.write

        def counted(entries: dict[PurePosixPath, Entry], archive: Path) -> None:
            written.append(time.monotonic())
            write(entries, archive)

        monkeypatch.setattr(assemble, "write", counted)
        recipe, images = site(folder), tmp_path / "images"
        threads = [
            threading.Thread(
                target=build.build, args=(recipe,), kwargs={"images": images, "cache": tmp_path}, daemon=True
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert len(written) == 1
        assert facts.archives(images) == {recipe.stem}

    def test_a_folder_that_goes_when_it_is_ours_is_made_anew(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its last holder removes it after we have seen it, and before we look at it again."""
        recipe, images = site(folder), tmp_path / "images"
        making, flock = images / f".{recipe.stem}.making", fcntl.flock
        removed: list[Path] = []

        def late(handle: int, operation: int) -> None:
            flock(handle, operation)
            if not removed:
                making.rmdir()
                removed.append(making)

        exists = Path.exists
        monkeypatch.setattr(Path, "exists", lambda path: path == making or exists(path))  # as it was a moment ago
        monkeypatch.setattr(fcntl, "flock", late)
        build.build(recipe, images=images, cache=tmp_path)
        assert removed == [making]
        assert facts.archives(images) == {recipe.stem}

    def test_a_build_that_fails_holds_nothing(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever went wrong as it took its folder: who waits for it goes on."""
        recipe, images = site(folder), tmp_path / "images"
        with monkeypatch.context() as broken:
            broken.setattr(os, "fstat", lambda _: Path("/absent").stat())
            with pytest.raises(FileNotFoundError):
                build.build(recipe, images=images, cache=tmp_path)
        waits = os.open(images / f".{recipe.stem}.making", os.O_RDONLY)
        fcntl.flock(waits, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(waits)

    def test_a_glob_that_matches_nothing_is_told(self, folder: Path, tmp_path: Path) -> None:
        recipe = site(folder)
        recipe = replace(recipe, image=replace(recipe.image, keep=("/usr/lib/absent*",)))
        with pytest.raises(ApplyError, match=r"image site: no package has /usr/lib/absent\*, which `keep` names"):
            build.build(recipe, images=tmp_path / "images", cache=tmp_path / "cache")

    def test_the_op_says_what_it_is_made_from(self, folder: Path) -> None:
        recipe = site(folder, base=site(folder, name="below"))
        op = BuildImage(recipe=recipe, archived=False)
        assert op.subject == "site"
        assert op.describe() == f"image site (tag {recipe.tag}), made from image below, its own files"
        assert "from its archive" in BuildImage(recipe=recipe, archived=True).describe()


def test_images_of_a_store(tmp_path: Path) -> None:
    assert facts.imported(tmp_path) == frozenset()
    (tmp_path / "overlay-images").mkdir()
    shutil.copy(GOLDEN / "store-images.json", tmp_path / "overlay-images/images.json")
    assert facts.imported(tmp_path) == {
        "localhost/caddy:be66b6b49ead",
        "localhost/haproxy:f29b9e6d747a",
        "localhost/wireguard:3bf052d461d9",
    }


def test_a_store_without_images() -> None:
    assert facts.parse("[]\n") == facts.parse("null") == frozenset()
