"""Run a program beside a container's own: as its user, in all of its namespaces, with its powers at most.

this process   joins the pid namespace for its children, forks, hands signals on, and ends as the program ends
  child        joins the cgroups; then the namespaces and the root; then the user, the capabilities; execve(2)

The order matters: each step needs a power that a later one gives away. A program so begun can do to the container what
its own program can, and to the machine no more (docs/decisions/034). It gets no terminal of the machine's: with
one of ours it could type into it (TIOCSTI, ioctl_tty(2)), so on a terminal it gets a new one (provision.terminal),
elsewhere none.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from provision import terminal
from provision.errors import CommandError
from provision.facts.standing import PROC, Capabilities, Standing

# sched.h, prctl.h, capability.h of the kernel's uapi
_NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER = 0x02000000, 0x04000000, 0x08000000, 0x10000000
_NEWPID, _NEWNET, _NEWNS = 0x20000000, 0x40000000, 0x00020000
_SPACES = _NEWNS | _NEWUTS | _NEWIPC | _NEWNET | _NEWCGROUP
_PDEATHSIG, _KEEPCAPS, _CAPBSET_READ, _CAPBSET_DROP, _NO_NEW_PRIVS, _AMBIENT, _AMBIENT_RAISE = 1, 8, 23, 24, 38, 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/"}  # what every container begins with
HANDED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
NOT_FOUND, NOT_RUN = 127, 126  # as a shell has it

_libc = ctypes.CDLL(None, use_errno=True)


def run(standing: Standing, argv: Sequence[str]) -> int:
    """Run `argv` to its end; its exit code, 128 and the signal where one ended it. Raises CommandError, OSError."""
    handle = os.pidfd_open(standing.pid)
    try:
        _call("setns", handle, _NEWPID)  # from here on children alone are born there
        interactive = terminal.whole()
        pid, master = terminal.fork() if interactive else (os.fork(), -1)
        if pid == 0:
            _child(standing, handle, argv, _environment())
        with _handing_on(pid):
            if interactive:
                terminal.relay(master)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except OSError as error:
        raise CommandError(tuple(argv), f"cannot stand beside process {standing.pid}: {error}") from error
    finally:
        os.close(handle)
    return code if code >= 0 else 128 - code


def _environment() -> dict[str, str]:
    return ENVIRONMENT | ({"TERM": os.environ["TERM"]} if "TERM" in os.environ else {})


@contextmanager
def _handing_on(pid: int) -> Iterator[None]:
    def handed(number: int, _frame: FrameType | None) -> None:
        os.kill(pid, number)

    before = {number: signal.signal(number, handed) for number in HANDED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _child(standing: Standing, handle: int, argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    try:
        _enter(standing, handle)
        _be(standing)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        for number in (*HANDED_ON, signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores the last two
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(argv[0], list(argv), dict(environment))  # noqa: S606 - no shell, as meant
    except OSError as error:
        print(f"pluto: {argv[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUN)
    finally:
        os._exit(NOT_RUN)  # whatever happened: what is left of this process is no second pluto


def _enter(standing: Standing, handle: int) -> None:
    if os.getsid(0) != os.getpid():  # a new terminal has made it one already
        os.setsid()
    for group in standing.cgroups:
        if group.is_dir():
            (group / "cgroup.procs").write_text("0")  # the writer itself (cgroups(7))
    root = os.open(PROC / str(standing.pid) / "root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    _call("setns", handle, _SPACES | (_NEWUSER if standing.own_users else 0))
    os.fchdir(root)
    os.chroot(".")
    os.chdir("/")


def _be(standing: Standing) -> None:
    held = standing.capabilities
    for number in range(_CAPABILITIES):
        if not held.bounding >> number & 1 and _prctl(_CAPBSET_READ, number) == 1:
            _call("prctl", _CAPBSET_DROP, number, 0, 0, 0)
    os.umask(standing.umask)
    os.setgroups(standing.groups)
    _call("prctl", _KEEPCAPS, 1, 0, 0, 0)
    os.setresgid(standing.gid, standing.gid, standing.gid)
    os.setresuid(standing.uid, standing.uid, standing.uid)
    _capset(held)
    for number in range(_CAPABILITIES):
        if held.ambient >> number & 1:
            _call("prctl", _AMBIENT, _AMBIENT_RAISE, number, 0, 0)
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", _PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _capset(held: Capabilities) -> None:
    """capset(2): two words a set, the lower first."""
    sets = (held.effective, held.permitted, held.inheritable)
    words = [one >> shift & 0xFFFFFFFF for shift in (0, 32) for one in sets]
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)(*words))


def _prctl(*arguments: int) -> int:
    return int(_libc.prctl(*arguments, 0, 0, 0))


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
