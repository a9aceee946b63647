"""A linked Java runtime: how jlink is asked, and what is told where there is none."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from provision import run
from provision.errors import ApplyError
from provision.image import runtime
from specs.model import Jlink

GOLDEN = Path(__file__).parent / "golden"
JLINK = Jlink(at=PurePosixPath("/usr/lib/jvm/runtime"), modules=("java.se", "jdk.zipfs"))


def test_argv() -> None:
    asked = runtime.argv(Path("/made"), PurePosixPath("/usr/lib/jvm/java-21-openjdk/bin/jlink"), JLINK)
    assert "\n".join(asked) + "\n" == (GOLDEN / "jlink.argv").read_text()


def test_the_modules_packages_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's JDK has a second name; jlink's own run is the lab's to try."""
    home = tmp_path / "usr/lib/jvm/java-21-openjdk-amd64"
    for name in ("bin/jlink", "jmods/java.base.jmod"):
        (home / name).parent.mkdir(parents=True)
        (home / name).touch()
    (home.parent / "java-1.21.0-openjdk-amd64").symlink_to(home.name)
    asked: list[tuple[str, ...]] = []

    def recorded(argv: tuple[str, ...], *, timeout: float) -> run.Done:
        asked.append(argv)
        return run.Done(returncode=0, stdout="", stderr="")

    monkeypatch.setattr(runtime, "run", recorded)
    made_from = runtime.link(tmp_path, JLINK)
    assert [str(path) for path in made_from] == ["/usr/lib/jvm/java-21-openjdk-amd64/jmods/java.base.jmod"]
    assert [argv[6] for argv in asked] == [str(tmp_path)]
    assert "/usr/lib/jvm/java-21-openjdk-amd64/bin/jlink" in asked[0]


def test_packages_without_jlink_are_told(tmp_path: Path) -> None:
    with pytest.raises(ApplyError, match="wants one JDK with jlink and jmods among the packages, and there are 0"):
        runtime.link(tmp_path, JLINK)
