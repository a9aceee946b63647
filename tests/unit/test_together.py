"""Files of one folder that change together: whenever it is killed, the folder says the old or the new, no mixture."""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from provision import together
from provision.errors import HostError

OLD = {"links.yaml": "links: old\n", "modules/one.yaml": "one: old\n", "modules/two.yaml": "two\n"}
CHANGE = {"modules/one.yaml": "one: new\r\n", "links.yaml": "links: new\n", "images/notes/image.yaml": "image: notes\n"}
NEW = OLD | CHANGE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "estate"
    for name, text in OLD.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    (made / "here").symlink_to("links.yaml")
    (made / "links.yaml").chmod(0o640)
    return made


def said(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in files}


def test_all_is_written_and_nothing_is_left(folder: Path) -> None:
    before = folder.stat().st_ino
    together.write(folder, CHANGE)
    assert said(folder) == NEW
    assert folder.stat().st_ino == before  # who stands in it stays in it
    assert (folder / "links.yaml").stat().st_mode & 0o777 == 0o640
    assert (folder / "here").read_text() == NEW["links.yaml"]
    assert [path.name for path in folder.parent.iterdir()] == ["estate"]
    assert {path.stat().st_nlink for path in folder.rglob("*.yaml")} == {1}


def test_killed_anywhere(folder: Path) -> None:
    """A child is killed before each of its steps in turn; what it leaves is one or the other, and can be written to."""
    seen = []
    for step in count(1):
        ended_well = killed_before(step, lambda: together.write(folder, CHANGE))
        seen.append(said(folder))
        assert seen[-1] in (OLD, NEW), f"a mixture after step {step}"
        together.write(folder, OLD | {"images/notes/image.yaml": ""})
        assert said(folder) == OLD | {"images/notes/image.yaml": ""}
        assert [path.name for path in folder.parent.iterdir()] == ["estate"]
        (folder / "images/notes/image.yaml").unlink()
        if ended_well:
            break
    assert seen[0] == OLD
    assert seen[-1] == NEW
    assert len(seen) > 20  # the steps were counted at all


def killed_before(step: int, work: Callable[[], None]) -> bool:
    """Do the work in a child that kills itself at its `step`-th call that touches a file; whether it came to its end.

    Python tells each such call to an audit hook before it is made (sys.addaudithook).
    """
    child = os.fork()
    if child == 0:
        steps = count(1)

        def hook(event: str, _: object) -> None:
            if event.startswith(("open", "os.", "shutil.", "ctypes.")) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


@pytest.mark.parametrize("name", ["links.yaml/inner.yaml", "/proc/no-file"])
def test_what_cannot_be_written_changes_nothing(folder: Path, name: str) -> None:
    with pytest.raises(HostError, match="cannot be changed at once"):
        together.write(folder, CHANGE | {name: ""})
    assert said(folder) == OLD
    assert [path.name for path in folder.parent.iterdir()] == ["estate"]
