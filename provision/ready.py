"""Wait until what was started answers, asked as a declared client would ask (law 12).

Each check has a thread of its own, which enters the client's network namespace and asks from there until the
deadline: a GET, a TCP handshake, or a look at when WireGuard last shook hands.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import assert_never

from provision.errors import ApplyError
from provision.facts import tunnel
from provision.kernel import inside, is_namespace
from provision.wait import wait
from specs.model import TUNNEL_INTERFACE, Health, HealthKind

ASK_SECONDS = 2.0  # one attempt at most
LEAST_SECONDS = 0.05  # and at least, at the deadline
DISCARD = 9  # RFC 863: a datagram to it makes WireGuard shake hands, and is dropped


class Unready(Exception):
    """Why the last attempt failed; never leaves this module."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One declared health of one container.

    `handshakes` is for HANDSHAKE alone, and tells when one was: the control socket of a userspace WireGuard (of either
    side), or the namespace of a kernel's device, which is asked for `peer`, by its address in the tunnel. A handshake
    counts from `since` on (seconds since the epoch).
    """

    container: str  # the owner's name
    netns: Path  # the namespace to ask from
    address: IPv4Address  # the container's on that side; for HANDSHAKE the hub's in the tunnel
    health: Health
    hostname: str | None = None  # for Host and SNI
    tls: bool = False
    authority: Path | None = None  # PEM of the root to trust; Caddy writes it on its first start. None: the system's
    handshakes: Path | None = None
    peer: IPv4Address | None = None
    since: float = 0.0

    def __str__(self) -> str:
        match self.health.kind:
            case HealthKind.GET:
                scheme = "https" if self.tls else "http"
                return f"{self.container}: GET {scheme}://{self.address}:{_port(self.health)}{self.health.path}"
            case HealthKind.CONNECT:
                return f"{self.container}: connection to {self.address} {self.health.port}"
            case HealthKind.HANDSHAKE:
                return f"{self.container}: WireGuard handshake"
            case _:
                assert_never(self.health.kind)


def await_ready(checks: Sequence[Check], *, deadline: float, log_tail: Callable[[str], str]) -> None:
    """Return once every check has held; `deadline` is time.monotonic()'s.

    Raises ApplyError that names each container that does not answer, what it was asked from where, its last answer,
    and the end of its log (`log_tail` of the container's name).
    """
    failed = [(check, why) for check, why in answers(checks, deadline=deadline) if why is not None]
    if failed:
        raise ApplyError("\n\n".join(_complaint(check, why, log_tail(check.container)) for check, why in failed))


def answers(checks: Sequence[Check], *, deadline: float) -> tuple[tuple[Check, str | None], ...]:
    """Each check, all asked side by side until `deadline`, with None where it held, else why it did not at last."""
    if not checks:
        return ()
    with ThreadPoolExecutor(max_workers=len(checks), thread_name_prefix="ready") as pool:
        return tuple(zip(checks, pool.map(lambda check: _await(check, deadline), checks), strict=True))


def _await(check: Check, deadline: float) -> str | None:
    """None once it holds, else the reason of the last attempt."""
    last = "it was not asked"

    def holds() -> bool:
        nonlocal last
        try:
            _ask(check, max(LEAST_SECONDS, min(ASK_SECONDS, deadline - time.monotonic())))
        except (Unready, OSError, http.client.HTTPException) as error:
            last = f"{type(error).__name__}: {error}" if not isinstance(error, Unready) else str(error)
            return False
        return True

    try:
        inside(check.netns, lambda: wait(holds, deadline=deadline, what=str(check)))
    except (ApplyError, OSError) as error:
        return last if isinstance(error, ApplyError) else f"cannot ask from {check.netns}: {error.strerror}"
    return None


def _ask(check: Check, seconds: float) -> None:
    match check.health.kind:
        case HealthKind.GET:
            _get(check, seconds)
        case HealthKind.CONNECT:
            _connect(check, seconds).close()
        case HealthKind.HANDSHAKE:
            _handshake(check)
        case _:
            assert_never(check.health.kind)


def _get(check: Check, seconds: float) -> None:
    host = check.hostname or str(check.address)
    with _secured(check, _connect(check, seconds), host) as stream:
        asked = http.client.HTTPConnection(host, _port(check.health), timeout=seconds)
        asked.sock = stream
        asked.request("GET", check.health.path, headers={"Host": host, "Connection": "close"})
        status = asked.getresponse().status
    if status != check.health.status:
        raise Unready(f"status {status}, declared is {check.health.status}")


def _connect(check: Check, seconds: float) -> socket.socket:
    return socket.create_connection((str(check.address), _port(check.health)), timeout=seconds)


def _secured(check: Check, stream: socket.socket, host: str) -> socket.socket:
    if not check.tls:
        return stream
    if check.authority is not None and not check.authority.exists():
        stream.close()
        raise Unready(f"{check.authority} is not there yet")
    context = ssl.create_default_context(cafile=check.authority)
    try:
        return context.wrap_socket(stream, server_hostname=host)
    except OSError:
        stream.close()
        raise


def _handshake(check: Check) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nudge:
        nudge.sendto(b"", (str(check.address), DISCARD))
    last = _last_handshake(check)
    if last <= check.since:
        raise Unready("no handshake yet" if last == 0 else f"the last handshake was {time.time() - last:.0f} s ago")


def _last_handshake(check: Check) -> float:
    """Seconds since the epoch; 0 when there was none."""
    if check.handshakes is None or check.peer is None:
        raise ValueError(f"a {check.health.kind} health has a peer and a place that tells its handshakes")
    if is_namespace(check.handshakes):
        return inside(check.handshakes, lambda: tunnel.read(TUNNEL_INTERFACE)).handshake(check.peer)
    return _userspace_handshake(check.handshakes)


def _userspace_handshake(path: Path) -> float:
    """The newest handshake of any peer, by https://www.wireguard.com/xplatform/; 0 when there was none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(ASK_SECONDS)
        control.connect(str(path))
        control.sendall(b"get=1\n\n")
        answer = b""
        while not answer.endswith(b"\n\n") and (piece := control.recv(65536)):
            answer += piece
    return newest_handshake(answer.decode())


def newest_handshake(answer: str) -> float:
    """Seconds since the epoch, from the answer to `get=1`."""
    seconds, fractions = (
        [int(line.partition("=")[2]) for line in answer.splitlines() if line.startswith(f"last_handshake_time_{unit}=")]
        for unit in ("sec", "nsec")
    )
    return max((s + n / 1e9 for s, n in zip(seconds, fractions, strict=True)), default=0.0)


def _port(health: Health) -> int:
    if health.port is None:
        raise ValueError(f"a {health.kind} health has a port")
    return health.port.number


def _complaint(check: Check, why: str, log: str) -> str:
    where = f"asked from {check.netns}, the last answer was: {why}"
    return f"{check} does not answer\n{where}\nthe end of its log:\n{log or '(empty)'}"
