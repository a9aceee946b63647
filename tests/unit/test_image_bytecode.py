"""The program that compiles inside an image, run here by this Python; and what bytecode.py makes of its answers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path, PurePosixPath

import pytest

from fixtures import run
from provision.errors import CommandError
from provision.image import assemble, bytecode, compiler
from provision.image.assemble import Entry, Kind
from provision.run import Done


def compiled(*sources: Path, seed: int = 0) -> list[str]:
    """The files that the program says it has made."""
    argv = ("env", f"PYTHONHASHSEED={seed}", sys.executable, "-B", compiler.__file__)
    return run.run(argv, stdin="\n".join(map(str, sources))).splitlines()


def cached(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source)))


class TestCompiler:
    def test_makes_what_python_takes_for_the_source(self, tmp_path: Path) -> None:
        source = tmp_path / "one.py"
        source.write_text("value = 1\n")
        assert compiled(source) == [str(cached(source))]
        source.write_text("value = 2\n")  # in an image nothing does: so it shows which of the two is read
        assert run.run(("env", f"PYTHONPATH={tmp_path}", sys.executable, "-c", "import one; print(one.value)")) == "1\n"

    def test_makes_nothing_twice_but_what_is_another(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one.py", tmp_path / "two.py"
        one.write_text("value = 1\n")
        two.write_text("value = 2\n")
        assert len(compiled(one, two)) == 2
        assert compiled(one, two) == []
        two.write_text("value = 3\n")
        (made,) = compiled(one, two)
        other = Path(made)
        other.write_bytes(b"another" + other.read_bytes()[7:])  # another interpreter's magic number
        assert compiled(one, two) == [made]

    def test_gives_the_same_bytes(self, tmp_path: Path) -> None:
        source = tmp_path / "one.py"
        source.write_text("def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}\n")
        seen = []
        for seed in (1, 2, 3):
            (made,) = compiled(source, seed=seed)
            seen.append(Path(made).read_bytes())
            Path(made).unlink()
        assert seen[0] == seen[1] == seen[2]

    def test_asks_for_little_of_the_library(self, tmp_path: Path) -> None:
        """Of the images with Python some have neither of these."""
        source = tmp_path / "one.py"
        source.write_text("")
        lacking = "import runpy, sys; sys.modules |= dict.fromkeys(('argparse', 'concurrent', 'pathlib', 'subprocess'))"
        program = f"{lacking}; runpy.run_path({compiler.__file__!r}, run_name='__main__')"
        assert run.run((sys.executable, "-B", "-c", program), stdin=str(source)) == f"{cached(source)}\n"

    def test_leaves_out_what_nobody_can_import(self, tmp_path: Path) -> None:
        template, latin, good = (tmp_path / f"{name}.py" for name in ("template", "latin", "good"))
        template.write_text("class {{ name }}:\n")
        latin.write_bytes(b"name = '\xe9'\n")
        good.write_text("")
        assert [Path(made).name.partition(".")[0] for made in compiled(template, latin, good)] == ["good"]


class TestBytecode:
    @pytest.fixture
    def entries(self) -> dict[PurePosixPath, Entry]:
        python = Entry(at=bytecode.INTERPRETER, kind=Kind.FILE, mode=0o755, content=b"python")
        source = assemble.text("/usr/lib/deep/one.py", "value = 1\n")
        return assemble.layered(assemble.skeleton(), [python, source, assemble.text("/usr/lib/deep/page.html")])

    def test_the_image_compiles_its_own(
        self, entries: dict[PurePosixPath, Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = "/usr/lib/deep/__pycache__/one.cpython-99.pyc"

        def ran(argv: tuple[str, ...], *, stdin: str, timeout: float) -> Done:
            assert (tmp_path / "usr/lib/deep/one.py").read_text() == "value = 1\n"
            assert (tmp_path / "usr/bin/python3").stat().st_mode & 0o777 == 0o755
            assert (argv[-5:-3], stdin, timeout > 0) == (
                (str(tmp_path), "/usr/bin/python3"),
                "/usr/lib/deep/one.py",
                True,
            )
            (tmp_path / made[1:]).parent.mkdir()
            (tmp_path / made[1:]).write_bytes(b"compiled")
            return Done(returncode=0, stdout=f"{made}\n", stderr="")

        monkeypatch.setattr(bytecode, "run", ran)
        (entry,) = bytecode.compiled(entries, tmp_path)
        assert (str(entry.at), entry.mode, entry.read()) == (made, assemble.FILE_MODE, b"compiled")

    def test_without_python_there_is_none(self, entries: dict[PurePosixPath, Entry], tmp_path: Path) -> None:
        del entries[bytecode.INTERPRETER]
        assert bytecode.compiled(entries, tmp_path) == ()
        assert list(tmp_path.iterdir()) == []

    def test_an_interpreter_that_cannot_run_is_told(self, entries: dict[PurePosixPath, Entry], tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="python3"):
            bytecode.compiled(entries, tmp_path)
