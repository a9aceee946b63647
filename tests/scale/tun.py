"""Two TUN devices and the thread between them: a tunnel in userspace with a short queue, as wireguard-go is one.

What `carries` does not hold is swallowed, as WireGuard does with a destination that no peer owns.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import threading
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import TracebackType
from typing import Self

from fixtures.netns import inside

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000


class Tun:
    """`with Tun(path_a, path_b, "tun0", carries)`: the devices exist, down and without addresses, until the end."""

    def __init__(self, a: Path, b: Path, ifname: str, carries: IPv4Network) -> None:
        self._carries = carries
        self._ends = [inside(path, lambda: _device(ifname)) for path in (a, b)]
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self._copy)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._stopper)
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Let the devices go. Only for a tunnel whose thread does not run."""
        for end in (*self._ends, self._stop):
            os.close(end)

    def _copy(self) -> None:
        other = dict(zip(self._ends, reversed(self._ends), strict=True))
        while True:
            ready, _, _ = select.select([*self._ends, self._stop], [], [])
            if self._stop in ready:
                return
            for end in ready:
                packet = os.read(end, 2048)
                if packet[0] >> 4 == 4 and IPv4Address(packet[16:20]) in self._carries:
                    os.write(other[end], packet)


def _device(ifname: str) -> int:
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", ifname.encode(), IFF_TUN | IFF_NO_PI))
    return end
