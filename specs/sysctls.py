"""Node -> the kernel settings its namespace must hold (Linux Documentation/networking/ip-sysctl.rst).

`sysctls` are the namespace's own keys with `all` and `default`; `per_interface` are keys below
`net.ipv4.conf.<interface>.` and `net.ipv6.conf.<interface>.` for every interface in it, `lo` included;
`every` spells out both. Write them in their order: turning `ip_forward` on or off resets
`accept_redirects` and each `forwarding` (net/ipv4/devinet.c, inet_forward_change), so it comes first.
"""

from __future__ import annotations

from collections.abc import Mapping

from specs.model import TUNNEL_INTERFACE
from specs.topology import Kind, Node

LOOPBACK = "lo"
FIRST_UNPRIVILEGED = "1024"  # the kernel's own ip_unprivileged_port_start

# A namespace answers for the addresses of an interface on that interface alone, believes no route it was told,
# and drops a packet whose source is not behind the interface it came in by (RFC 3704, strict).
_HARDENED = {
    "rp_filter": "1",
    "accept_redirects": "0",
    "secure_redirects": "0",
    "send_redirects": "0",
    "accept_source_route": "0",
    "proxy_arp": "0",
    "route_localnet": "0",
    "accept_local": "0",
    "arp_ignore": "1",
    "arp_announce": "2",
}
DECISIVE = {"ipv4.forwarding": "", **{f"ipv4.{key}": "" for key in _HARDENED}}  # what an undeclared interface is asked


def sysctls(node: Node) -> Mapping[str, str]:
    """The namespace's own keys, dotted, with their values; the world around the host only forwards or not."""
    forwards = _flag(node.forwards)
    found = {"net.ipv4.ip_forward": forwards}
    for scope in ("all", "default"):
        found |= conf(scope, per_interface(node))
    if not node.ours:
        return found
    edge = node.kind is Kind.EDGE
    found["net.ipv4.icmp_echo_ignore_broadcasts"] = "1"
    found["net.netfilter.nf_conntrack_tcp_loose"] = "0"  # a connection begins with its SYN, never in its middle
    found["net.ipv4.ip_unprivileged_port_start"] = "0" if edge else FIRST_UNPRIVILEGED
    if edge:  # clients out there sit behind links that swallow "fragmentation needed" (RFC 4821)
        found["net.ipv4.tcp_mtu_probing"] = "1"
    return found


def per_interface(node: Node) -> Mapping[str, str]:
    """The keys every interface of `node` must hold, `ipv4.` or `ipv6.` before the last part of the name."""
    plain = {"ipv4.forwarding": _flag(node.forwards), "ipv6.disable_ipv6": "1"}
    return plain | {f"ipv4.{key}": value for key, value in _HARDENED.items()} if node.ours else plain


def every(node: Node) -> Mapping[str, str]:
    """All of it, dotted and in the order to write: `sysctls`, then each declared interface's keys."""
    found = dict(sysctls(node))
    for ifname in interfaces(node):
        found |= conf(ifname, per_interface(node))
    return found


def interfaces(node: Node) -> tuple[str, ...]:
    """The interfaces there must be in `node`: lo, its endpoints', and the tunnel's where it has one."""
    own = tuple(endpoint.ifname for endpoint in node.endpoints)
    return (LOOPBACK, *own, *([TUNNEL_INTERFACE] if node.tunnel else []))


def interface_of(key: str) -> str | None:
    """The interface, `all` or `default` that a `net.ipv4.conf.` or `net.ipv6.conf.` key speaks of, else None."""
    parts = key.split(".")
    return parts[3] if parts[2] == "conf" else None


def path(key: str) -> str:
    """Where a key stands under /proc/sys: its dots are slashes. An interface name has none here."""
    return f"/proc/sys/{key.replace('.', '/')}"


def conf(scope: str, keys: Mapping[str, str]) -> dict[str, str]:
    """`ipv4.rp_filter` and its like of an interface, `all` or `default`, dotted whole."""
    spelled = {}
    for key, value in keys.items():
        family, name = key.split(".")
        spelled[f"net.{family}.conf.{scope}.{name}"] = value
    return spelled


def _flag(value: bool) -> str:  # noqa: FBT001 (a flag is what it makes)
    return "1" if value else "0"
