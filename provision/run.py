"""The one door for processes: argv lists, no shell, always a deadline."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from provision.errors import CommandError

GRACE_SECONDS = 2.0

Process = subprocess.Popen[bytes]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: str | bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    accept: tuple[int, ...] = (0,),
) -> Done:
    """Run `argv` to its end and return what it printed.

    `timeout` is in seconds; `env` is added to the caller's environment; the network namespace is that of the
    calling thread. Raises CommandError when the program is missing, is late, or exits outside `accept`.
    """
    given = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        done = subprocess.run(
            list(argv),
            input=given if given is not None else b"",
            capture_output=True,
            timeout=timeout,
            env=environment(env),
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(
            tuple(argv), f"not found: {error.filename}; run `make provision`, which installs it"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(tuple(argv), f"not done after {timeout:g} s") from error
    stdout, stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if done.returncode not in accept:
        raise CommandError(tuple(argv), f"exit {done.returncode}", stderr or stdout, done.returncode)
    return Done(returncode=done.returncode, stdout=stdout, stderr=stderr)


def spawn(argv: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path) -> Process:
    """Start a process that the caller ends (a service for the length of an apply); its output goes to `log`."""
    with log.open("ab") as sink:
        return subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environment(env), start_new_session=True
        )


def finish(process: Process) -> None:
    """End a process that `spawn` started, and reap it."""
    process.terminate()
    try:
        process.wait(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end(handle: int) -> None:
    """Ask the process of a pidfd to end, and end it when it does not in time (pidfd_open(2): readable when ended)."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return
        if select.select([handle], [], [], GRACE_SECONDS)[0]:
            return


def end_with_argument(argument: str) -> None:
    """End every process that has exactly this argument on its command line: what a killed command left running."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            handle = os.pidfd_open(int(folder.name))
            try:
                if argument.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                    end(handle)
            finally:
                os.close(handle)


def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """The caller's environment with the system's folders on PATH (a root shell on Debian may lack sbin)."""
    own = dict(os.environ)
    own["PATH"] = f"{own['PATH']}:{SYSTEM_PATH}" if own.get("PATH") else SYSTEM_PATH
    own.update(extra or {})
    return own


def become(argv: Sequence[str]) -> NoReturn:
    """Be `argv` from here on (execve(2)): terminal, signals and exit code are its own. Raises CommandError."""
    sys.stdout.flush()
    try:
        os.execvpe(argv[0], list(argv), environment(None))  # noqa: S606 - no shell, as meant
    except OSError as error:
        raise CommandError(tuple(argv), error.strerror or "cannot be started") from error
