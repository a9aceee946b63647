"""What decides an image's tag."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from provision.errors import ApplyError
from provision.image import tag
from specs.model import Image, Jlink, PinnedFile, PutFile, Source
from tests.unit.small_image import IMAGE, with_pages

PINNED = PinnedFile(project="p", version="1", sha256="0" * 64, member="m", at=PurePosixPath("/usr/bin/p"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_pages(tmp_path)


def tag_of(image: Image, folder: Path, *, family: str = "debian", base: str | None = None) -> str:
    return tag.tag(image, folder, family=family, suite="trixie", base=base)


class TestTag:
    def test_is_the_same_for_the_same_definition(self, folder: Path) -> None:
        first = tag_of(IMAGE, folder)
        assert first == tag_of(IMAGE, folder)
        assert len(first) == tag.DIGITS

    def test_knows_neither_order_of_packages_nor_time_nor_line(self, folder: Path) -> None:
        first = tag_of(IMAGE, folder)
        os.utime(folder / "www/index.html", (1, 1))
        packages = (("alpine", ("lighttpd",)), ("debian", ("brotli", "lighttpd")))
        moved = replace(IMAGE, packages=packages, source=Source(file="elsewhere", line=9), stands_in_for="x")
        assert tag_of(moved, folder) == first

    @pytest.mark.parametrize(
        "change",
        [
            {"packages": (("debian", ("lighttpd",)),)},
            {"pinned": (PINNED,)},
            {"programs": ()},
            {"keep": ("/usr/lib/lighttpd/mod_*.so",)},
            {"put": (PutFile(origin="www", at=PurePosixPath("/srv/www"), executable=True),)},
            {"rendered": ()},
            {"writable": ()},
            {"entrypoint": ("/usr/sbin/lighttpd", "-D")},
            {"shell_reason": "because"},
            {"jlink": Jlink(at=PurePosixPath("/usr/lib/jvm/runtime"), modules=("java.base",))},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_changes_with(self, change: dict[str, object], folder: Path) -> None:
        assert tag_of(replace(IMAGE, **change), folder) != tag_of(IMAGE, folder)  # type: ignore[arg-type]

    def test_changes_with_a_put_files_content_and_name(self, folder: Path) -> None:
        tags = [tag_of(IMAGE, folder)]
        (folder / "www/deep/page.html").write_text("three")
        tags.append(tag_of(IMAGE, folder))
        (folder / "www/deep/page.html").rename(folder / "www/deep/other.html")
        tags.append(tag_of(IMAGE, folder))
        assert len(set(tags)) == 3

    def test_changes_with_family_and_base(self, folder: Path) -> None:
        tags = [tag_of(IMAGE, folder), tag_of(IMAGE, folder, family="alpine"), tag_of(IMAGE, folder, base="0")]
        assert len(set(tags)) == 3

    def test_changes_with_the_epoch(self, folder: Path) -> None:
        plain = tag.tag(IMAGE, folder, family="debian", suite="trixie", base=None)
        refreshed = [
            tag.tag(IMAGE, folder, family="debian", suite="trixie", base=None, epoch=epoch) for epoch in ("", "1", "2")
        ]
        assert refreshed[0] == plain, "an image that was never refreshed keeps its tag"
        assert len(set(refreshed)) == 3

    def test_a_link_among_the_put_files_is_refused(self, folder: Path) -> None:
        (folder / "www/link").symlink_to("index.html")
        with pytest.raises(ApplyError, match="www/link: an image can take in regular files alone"):
            tag_of(IMAGE, folder)

    def test_an_absent_put_file_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ApplyError, match="www: an image can take in regular files alone"):
            tag_of(IMAGE, tmp_path)
