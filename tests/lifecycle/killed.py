"""What every container must bear: its process killed, it works again within 10 s, and nobody but conmon has acted."""

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from fixtures import container, run
from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.wait import wait
from specs import naming

SECONDS = 10.0
Work: TypeAlias = Callable[[Scratch], bool]  # whether it does its work for its client
Prepare: TypeAlias = Callable[[Scratch, Path], Work]  # before it is killed; the folder is the client's own


def dies_and_works_again(made: Scratch, name: str, works: Work) -> None:
    """Kill the process of the container `name`; every other container keeps its own, and the plan stays empty."""
    assert run.attempt(("pgrep", "-f", str(made.instance.podman_socket))).code == 1  # no podman service runs
    before = container.pids(made.instance)
    killed = container.kill(made.instance, name)
    wait(
        lambda: container.pid(made.instance, name) not in (0, killed) and tried(works, made),
        what=f"{name} at work again",
        seconds=SECONDS,
    )
    after = container.pids(made.instance)
    changed = {each for each in before if before[each] != after.get(each)}
    assert changed == {naming.container(made.instance.name, name)}
    node = made.estate.container(name).shares or name
    there = Path(f"/proc/{container.pid(made.instance, name)}/ns/net").stat().st_ino
    assert there == named(made.netns(node)).stat().st_ino
    assert made.plan() == []


def tried(works: Work, made: Scratch) -> bool:
    """What `works` says; while nobody answers its client, it does not."""
    try:
        return works(made)
    except (OSError, http.client.HTTPException):
        return False
