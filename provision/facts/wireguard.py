"""Whether the kernel has WireGuard: asked by making such a device where nobody sees it."""

from __future__ import annotations

import errno
import struct

from provision.facts.link import IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, RTM_NEWLINK, WIREGUARD
from provision.kernel import in_new
from provision.netlink import NLM_F_CREATE, NLM_F_EXCL, NetlinkError, Socket, nested, text


def in_kernel() -> bool:
    """Ask it. The kernel loads the module by itself where there is one (rtnl-link-wireguard)."""
    return in_new(_try)


def _try() -> bool:
    opened = Socket()
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + text(IFLA_IFNAME, "wg0")
    body += nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, WIREGUARD))
    try:
        opened.request(RTM_NEWLINK, body, flags=NLM_F_CREATE | NLM_F_EXCL, what="make a WireGuard device")
    except NetlinkError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return False
    finally:
        opened.close()
    return True
