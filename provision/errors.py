"""What can go wrong, as the command line tells it.

    PlutoError
    ├── ApplyError       an op failed: exit 1
    ├── CommandError     a process failed, timed out or is missing: exit 1
    ├── HostError        the machine lacks something pluto needs: exit 1
    │   └── NoIndexError the distribution's package index cannot be asked
    └── UsageError       the command line makes no sense: exit 64
(specs.problems.SpecError, a mistake in the declaration, stands beside them: exit 1)
"""

from __future__ import annotations


class PlutoError(Exception):
    """Base of all: its text says what, where and what to do."""


class ApplyError(PlutoError):
    pass


class HostError(PlutoError):
    pass


class NoIndexError(HostError):
    pass


class UsageError(PlutoError):
    pass


class CommandError(PlutoError):
    """A process failed. `argv` never holds a secret; `stderr` is the process's own."""

    def __init__(self, argv: tuple[str, ...], reason: str, stderr: str = "", returncode: int | None = None) -> None:
        self.argv = argv
        self.reason = reason
        self.stderr = stderr
        self.returncode = returncode
        tail = "\n".join(stderr.strip().splitlines()[-8:])
        super().__init__(f"{' '.join(argv)}: {reason}" + (f"\n{tail}" if tail else ""))
