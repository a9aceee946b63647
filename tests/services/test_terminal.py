"""The game's console in a browser, for the laptop alone, and from its own page alone."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.chromium import page
from fixtures.netns import inside
from fixtures.terminal import PORT, terminal
from specs.model import Estate

Place = Callable[[str], Path]


@pytest.fixture
def address(estate: Estate) -> str:
    return str(estate.link("priv-minecraft-ttyd-rcon").end("minecraft-ttyd-rcon").address)


def test_shows_the_log_and_takes_commands(place: Place, address: str) -> None:
    with terminal(place("laptop"), address) as session:
        session.until("The stand-in is listening")
        session.type("list")
        session.until("of a max of 20 players online")


# What xterm.js, which ttyd shows its terminal with, has on its screen; the page itself draws it as a picture.
SCREEN = """(() => {
    const rows = window.term ? term.buffer.active : {length: 0};
    return Array.from({length: rows.length}, (_, row) => rows.getLine(row).translateToString(true)).join("\\n");
})()"""


def test_page_in_a_browser(place: Place, address: str) -> None:
    """The page as its visitor has it: the session's log is there, and what he types is answered."""
    with page(place("laptop")) as browser:
        browser.open(f"http://{address}:{PORT}/")
        browser.until(f"{SCREEN}.includes('The stand-in is listening')")
        assert "of a max of 20 players online" not in str(browser.value(SCREEN))
        browser.value("term.focus()")
        browser.type("list\n")
        browser.until(f"{SCREEN}.includes('of a max of 20 players online')")


def test_other_pages_cannot_open_it(place: Place, address: str) -> None:
    """The laptop's browser on a foreign page (the control: on its own page)."""
    with terminal(place("laptop"), address) as session:
        session.type("list")
    with (
        pytest.raises(ConnectionError),
        terminal(place("laptop"), address, origin="http://evil.example") as session,
    ):
        session.until("of a max")


@pytest.mark.parametrize("node", ["phone", "visitor"])
def test_is_dark_to(place: Place, address: str, node: str) -> None:
    with terminal(place("laptop"), address), pytest.raises(OSError):
        inside(place(node), lambda: socket.create_connection((address, PORT), timeout=0.5).close())
