"""The WireGuard tunnel: each peer reaches what its flows name, and nothing else; not the other peer."""

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.netns import inside
from fixtures.observe import process, tunnel, wireguard
from fixtures.observe.tunnel import Tunnel
from fixtures.wait import wait
from specs.model import Estate
from specs.topology import Kind, nodes

Place = Callable[[str], Path]


@contextmanager
def listening(netns: Path, address: str, port: int) -> Iterator[socket.socket]:
    """A server in a namespace for as long as the test runs."""
    server = inside(netns, lambda: socket.create_server((address, port)))
    try:
        server.settimeout(5)
        yield server
    finally:
        server.close()


def connect(netns: Path, address: str, port: int, seconds: float) -> socket.socket:
    return inside(netns, lambda: socket.create_connection((address, port), timeout=seconds))


@pytest.mark.parametrize("peer", ["laptop", "phone"])
def test_reaches_the_port_its_flow_names(estate: Estate, place: Place, peer: str) -> None:
    """A connection through the tunnel is accepted, and the leaf sees the hub, not the peer (law 4)."""
    link = estate.link("priv-navidrome-server")
    address = str(link.end("navidrome-server").address)
    with connect(place(peer), address, 4533, 20) as mine:
        mine.sendall(b"GET /ping HTTP/1.1\r\n")  # unfinished, so that the server keeps the connection
        # The client's side is established first (RFC 9293, section 3.5), so the server's is waited for.
        wait(lambda: bool(seen(place, address)), what="the connection in the leaf")
        assert seen(place, address) == {str(link.end(estate.tunnel.hub).address)}


def seen(place: Place, address: str) -> set[str]:
    return inside(place("navidrome-server"), lambda: sources(address, 4533))


def sources(address: str, port: int) -> set[str]:
    """Who has a connection to a server at `address` in the calling thread's namespace, as it sees them (proc(5))."""
    rows = [line.split() for line in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
    established = [(_plain(row[1]), _plain(row[2])) for row in rows if row[3] == "01"]
    return {far[0] for near, far in established if near == (address, port)}


def _plain(field: str) -> tuple[str, int]:
    """`0105010A:11B5` -> 10.1.5.1, 4533: the address stands in the machine's own byte order."""
    number, port = (int(part, 16) for part in field.split(":"))
    return socket.inet_ntoa(struct.pack("=I", number)), int(port)


def test_phone_has_no_git(estate: Estate, place: Place) -> None:
    """The laptop's connection arrives (the control), the phone's does not."""
    address = str(estate.link("priv-git-ssh").end("git-ssh").address)
    connect(place("laptop"), address, 2222, 20).close()
    with pytest.raises(TimeoutError):
        connect(place("phone"), address, 2222, 0.5)


@pytest.mark.parametrize(("peer", "other"), [("laptop", "phone"), ("phone", "laptop")])
def test_does_not_reach_the_other_peer(estate: Estate, place: Place, peer: str, other: str) -> None:
    """Nothing filters at the peers' own machines: what a hub lets through would be accepted (and on lo it is)."""
    (tunnel,) = (str(node.tunnel.ip) for node in nodes(estate) if node.name == other and node.tunnel is not None)
    with listening(place(other), tunnel, 7000):
        connect(place(other), tunnel, 7000, 5).close()
        with pytest.raises(TimeoutError):
            connect(place(peer), tunnel, 7000, 0.5)


def test_shakes_hands_with_a_preshared_key(estate: Estate, place: Place) -> None:
    """Every peer's newest handshake, as its own WireGuard tells it, and the key beside the key pair."""
    for node in nodes(estate):
        if node.kind is Kind.PEER:
            with contextlib.suppress(TimeoutError):  # a packet that nobody answers, so that there is a handshake
                connect(place(node.name), str(estate.tunnel.address), 9, 0.3)
            (hub,) = device(place(node.name), estate.tunnel.ifname).peers
            assert time.time() - hub.handshake < 200
            assert hub.preshared


def device(netns: Path, ifname: str) -> Tunnel:
    """What the WireGuard device of the namespace holds: a wireguard-go's there, or else the kernel's."""
    inode = netns.stat().st_ino
    keepers = [each.pid for each in process.read() if each.name == tunnel.PROGRAM and inode in each.netns]
    (found,) = tunnel.read(keepers) if keepers else inside(netns, lambda: wireguard.read([ifname]))
    return found
