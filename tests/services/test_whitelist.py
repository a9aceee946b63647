"""The game's whitelist: who is declared may play, whom a declared name stands for as well, and nobody else."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.minecraft import Player
from fixtures.netns import inside
from fixtures.web import Browser
from specs.model import Estate
from specs.oracle import internet

Place = Callable[[str], Path]
GAME = 25565


def player(estate: Estate, place: Place, node: str) -> Player:
    return Player(netns=place(node), address=str(estate.host.address))


def test_who_is_on_it(estate: Estate) -> None:
    """One by his address, one by his name: what the tests below are about."""
    flow = next(flow for flow in estate.flows if flow.port.number == GAME and estate.from_internet(flow))
    assert {end.node for end in internet(estate, flow)} == {"visitor", "laptop"}
    assert [str(each) for each in estate.whitelist(flow.source_node).addresses] == ["203.0.113.1"]


@pytest.mark.parametrize("node", ["visitor", "laptop"])
def test_who_is_on_it_plays(estate: Estate, place: Place, node: str) -> None:
    with player(estate, place, node).joined("steward"):
        assert player(estate, place, node).status()["players"]["online"] >= 1


def test_stranger_is_refused(estate: Estate, place: Place, visitor: Browser) -> None:
    """Nothing answers him at all; the controls are a player at that moment, and the site, which anybody may see."""
    stranger = player(estate, place, "phone")
    inside(stranger.netns, lambda: socket.create_connection((stranger.address, 443), timeout=5).close())
    with player(estate, place, "visitor").joined("steward"), pytest.raises(TimeoutError):
        inside(stranger.netns, lambda: socket.create_connection((stranger.address, GAME), timeout=1).close())
    assert visitor.ask("/").status == 200


def test_whitelist_opens_the_game_alone(estate: Estate, place: Place) -> None:
    """A player's other ports are as dark as anybody's."""
    known = player(estate, place, "visitor")
    inside(known.netns, lambda: socket.create_connection((known.address, GAME), timeout=5).close())
    for port in (22, 53, 25575):
        with pytest.raises(TimeoutError):
            inside(known.netns, lambda port=port: socket.create_connection((known.address, port), timeout=0.5).close())  # type: ignore[misc]


def test_nobody_but_the_host_asks_the_resolver(estate: Estate, place: Place) -> None:
    """The edge, which has a way out, is not heard by it; the host is (the control)."""
    resolver = (str(estate.host.resolver), 53)
    question = b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0\7steward\7example\0\0\1\0\1"

    def ask() -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spoken:
            spoken.settimeout(1)
            spoken.sendto(question, resolver)
            return spoken.recv(512)

    assert inside(place("host"), ask).endswith(bytes((203, 0, 113, 3)))
    for node in ("reverse-proxy-edge", "vpn-edge"):
        with pytest.raises(OSError, match=r"timed out|not permitted"):
            inside(place(node), ask)
