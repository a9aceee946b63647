"""The files of the house: tracked, or new and not ignored, as git sees them."""

from __future__ import annotations

import ast
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
GROWN = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}


@dataclass(frozen=True, kw_only=True)
class File:
    path: PurePosixPath  # from the root of the checkout
    content: bytes

    @property
    def lines(self) -> list[str]:
        return self.content.decode(errors="replace").splitlines()

    @property
    def is_text(self) -> bool:
        return b"\0" not in self.content

    @property
    def is_python(self) -> bool:
        return self.path.suffix == ".py"

    def syntax(self) -> ast.Module:
        return ast.parse(self.content, filename=str(self.path))


@cache
def files() -> tuple[File, ...]:
    names = listed_by_git() if (ROOT / ".git").exists() else walked()
    paths = sorted(name for name in names if (ROOT / name).is_file())
    return tuple(File(path=PurePosixPath(name), content=(ROOT / name).read_bytes()) for name in paths)


def listed_by_git() -> set[str]:
    # safe.directory: root may judge a checkout that belongs to somebody else
    argv = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return set(output(argv).split("\0")) - {""}


def walked() -> set[str]:
    """The same for an unpacked archive, which has no git folder."""
    found = set()
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in GROWN and not name.endswith(".egg-info")]
        found |= {str((Path(folder) / name).relative_to(ROOT)) for name in names if not name.endswith(".pyc")}
    return found


def output(argv: list[str]) -> str:
    """What a linter printed; its exit code is not asked for, because a clean one prints nothing."""
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr
