"""Which containers an instance has: one `podman ps` process (none where podman never ran), and /proc.

podman believes its own records: a container whose process and conmon were both killed stays "running" for it.
So what it calls running is looked up: its process must live, in a cgroup that bears its id, and its conmon, without
which nobody would start it again, must live too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provision import run
from provision.podman import Podman
from specs.instance import LABEL, LABEL_SPEC
from specs.naming import INSTANCE_SEPARATOR

READ_SECONDS = 20
RUNNING = "running"
STOPPED = "stopped"  # podman's "exited" as well: which of the two it says is a matter of when it tidied up
DEAD = "dead"  # podman says it runs, the kernel says it does not
PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True, order=True)
class ActualContainer:
    """A container of the instance's podman root, running or not."""

    name: str  # podman's
    id: str
    labels: tuple[tuple[str, str], ...]
    state: str  # podman's word (running, created, paused, unknown …), STOPPED or DEAD
    image: str
    pid: int  # of its first process on the machine; 0 when it does not run
    started: datetime | None  # None when it never ran

    @property
    def running(self) -> bool:
        return self.state == RUNNING

    @property
    def instance(self) -> str | None:
        """The instance it bears the mark of; None when it is not ours."""
        return dict(self.labels).get(LABEL)

    @property
    def spec(self) -> str | None:
        return dict(self.labels).get(LABEL_SPEC)

    @property
    def node(self) -> str:
        """The owner's name of it."""
        return self.name.partition(INSTANCE_SEPARATOR)[2] or self.name


Listing = Future[tuple[ActualContainer, ...]]


def begin(podman: Podman) -> Listing:
    """Begin to `read` in a thread of its own, which ends with it: podman takes its time, there is else to do."""
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="listing")
    try:
        return pool.submit(read, podman)
    finally:
        pool.shutdown(wait=False)


def read(podman: Podman) -> tuple[ActualContainer, ...]:
    """Every container of the instance's podman, by name. Raises CommandError."""
    if not podman.present:
        return ()
    podman.write_conf()  # after a boot the runroot is gone; without its own conf podman would read the machine's
    argv = (*podman.argv, "ps", "--all", "--format", "json")
    told = parse(run.run(argv, timeout=READ_SECONDS, env=podman.env).stdout)
    return tuple(_believe(container, podman.instance.podman_runroot) for container in told)


def restarts(podman: Podman, names: Sequence[str]) -> dict[str, int]:
    """How often each container was started again by itself since somebody started it, by podman's name.

    One that is gone meanwhile makes podman fail for all of them; then nothing is known. Raises CommandError.
    """
    if not names:
        return {}
    argv = (*podman.argv, "inspect", "--type", "container", "--format", "{{.Name}} {{.RestartCount}}", *sorted(names))
    lines = run.run(argv, timeout=READ_SECONDS, env=podman.env).stdout.splitlines()
    return {name: int(count) for name, count in map(str.split, lines)}


def parse(text: str) -> tuple[ActualContainer, ...]:
    """The output of `podman ps --all --format json`, which is empty, `null` or a list."""
    rows = json.loads(text) if text.strip() else None
    return tuple(sorted(_container(row) for row in rows or ()))


def _container(row: dict[str, Any]) -> ActualContainer:
    started = int(row.get("StartedAt") or 0)  # seconds since the epoch; negative when it never ran
    return ActualContainer(
        name=row["Names"][0],
        id=row["Id"],
        labels=tuple(sorted((row.get("Labels") or {}).items())),
        state=STOPPED if row["State"] == "exited" else row["State"],
        image=row["Image"],
        pid=int(row.get("Pid") or 0) if row["State"] == RUNNING else 0,
        started=datetime.fromtimestamp(started, UTC) if started > 0 else None,
    )


def at_rest(container: ActualContainer) -> bool:
    """Whether nothing is about to start it again: no conmon of it, and no `podman container cleanup`, bears its id."""
    return not container.running and not any(container.id in _text(path) for path in PROC.glob("[0-9]*/cmdline"))


def _believe(container: ActualContainer, runroot: Path) -> ActualContainer:
    if not container.running or (_lives(container) and _is_watched(container, runroot)):
        return container
    return replace(container, state=DEAD, pid=0)


def _lives(container: ActualContainer) -> bool:
    return _alive(container.pid) and container.id in _text(PROC / str(container.pid) / "cgroup")


def _is_watched(container: ActualContainer, runroot: Path) -> bool:
    """Whether its conmon lives: a pid that now is another process's has another command line."""
    pid = _text(runroot / "overlay-containers" / container.id / "userdata" / "conmon.pid").strip()
    return pid.isdigit() and _alive(int(pid)) and container.id in _text(PROC / pid / "cmdline")


def _alive(pid: int) -> bool:
    """Whether the process exists and is no zombie (proc_pid_stat(5): the state follows the name in parentheses)."""
    return pid > 0 and _text(PROC / str(pid) / "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"], ["X"])


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
