"""Make the WireGuard device of a namespace from outside (law 3: nobody inside can).

Without kernel WireGuard it is a persistent TUN device that wireguard-go opens by its name: the device, its
address and its routes outlive the process (FACTS 8).
"""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import ClassVar

from provision import kernel
from provision.context import Context
from provision.errors import HostError
from provision.facts.link import IFLA_MTU, index_of
from provision.netlink import number
from provision.op import Op, Phase
from provision.ops.link import add_address, set_link

TUNNEL_MTU = 1420  # 1500 less IPv6 (40), UDP (8) and WireGuard's own 32, as wg-quick(8) reckons
_TUN = "/dev/net/tun"
_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_IFF_TUN, _IFF_NO_PI = 0x1, 0x1000
_IFF_MULTICAST = 0x1000


@dataclass(frozen=True, kw_only=True)
class MakeTunnel(Op):
    phase: ClassVar[Phase] = Phase.TUNNEL
    noun: ClassVar[str] = "tunnel"

    node: str
    ifname: str
    interface: IPv4Interface

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.ifname}"

    def describe(self) -> str:
        return f"tunnel device {self.ifname} in {self.node}, {self.interface}"

    def execute(self, context: Context) -> None:
        path = context.netns(self.node)
        kernel.inside(path, lambda: _persistent_tun(self.ifname))
        opened = context.kernel.route(path)
        index = index_of(opened, self.ifname)
        add_address(opened, index, self.interface.packed, self.interface.network.prefixlen, what=self.subject)
        set_link(opened, index, number(IFLA_MTU, TUNNEL_MTU), what=f"set up {self.subject}", clear=_IFF_MULTICAST)


def _persistent_tun(ifname: str) -> None:
    try:
        handle = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"{_TUN}: {error.strerror}; load the tun module (modprobe tun)") from error
    try:
        fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", ifname.encode(), _IFF_TUN | _IFF_NO_PI))
        fcntl.ioctl(handle, _TUNSETPERSIST, 1)
    finally:
        os.close(handle)
