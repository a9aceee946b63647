"""A small image made by hand, and the files it puts in."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from specs.model import Image, PutFile, Rendered, Renderer, Source

IMAGE = Image(
    name="site",
    pending=None,
    base=None,
    packages=(("debian", ("lighttpd", "brotli")), ("alpine", ("lighttpd",))),
    pinned=(),
    programs=(PurePosixPath("/usr/sbin/lighttpd"),),
    keep=(),
    put=(PutFile(origin="www", at=PurePosixPath("/srv/www"), executable=False),),
    rendered=(Rendered(renderer=Renderer.LIGHTTPD, at=PurePosixPath("/etc/l.conf"), secret=False),),
    writable=(PurePosixPath("/tmp"),),
    entrypoint=("/usr/sbin/lighttpd",),
    shell_reason=None,
    stop_signal=None,
    stands_in_for=None,
    source=Source(file="images/site/image.yaml", line=1),
)


def with_pages(folder: Path) -> Path:
    """Fill an image's folder with what `IMAGE.put` names."""
    (folder / "www/deep").mkdir(parents=True)
    (folder / "www/index.html").write_text("one")
    (folder / "www/deep/page.html").write_text("two")
    return folder
