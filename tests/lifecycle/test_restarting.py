"""A container that ends again and again is started each time; `status` says so, how often, and exits 2."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures import container
from fixtures.scratch import Scratch, bare, scratch
from fixtures.wait import wait

NAME = "lbmt-weblog"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scratch]:
    """The estate with one site at work."""
    folder = bare(tmp_path / "pluto", but=("lighttpd", NAME))
    with scratch(folder) as found:
        found.apply()
        yield found


def row(made: Scratch) -> dict[str, Any]:
    return next(each for each in json.loads(made.pluto("status", "--json").stdout)["nodes"] if each["node"] == NAME)


def ends_and_comes_back(made: Scratch) -> None:
    ended = container.kill(made.instance, NAME)
    wait(lambda: container.pid(made.instance, NAME) not in (0, ended), what=f"{NAME} started again", seconds=20)


def test_crash_loop_is_told(made: Scratch) -> None:
    """Twice is no loop yet (the control); all the while what runs is as declared."""
    for times in (1, 2):
        ends_and_comes_back(made)
        assert (row(made)["state"], row(made)["restarts"]) == ("running", str(times))
    assert made.pluto("status").code == 0
    ends_and_comes_back(made)
    assert (row(made)["state"], row(made)["restarts"]) == ("restarting", "3")
    told = made.pluto("status")
    assert told.code == 2
    assert told.stdout.splitlines()[-1] == f"as declared; ends and is started again: {NAME} (3 times): see `logs`"
