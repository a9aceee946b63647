"""Each container of michel killed: its service is back within 10 s, by conmon alone, and no other was touched."""

import os
import signal
import socket
from collections.abc import Callable
from uuid import uuid4

import pytest

from fixtures.bans import Bans
from fixtures.deadline import until
from fixtures.netns import inside, named
from fixtures.scratch import Scratch
from fixtures.web import Browser
from tests.lifecycle.test_containers import pid_of
from tests.services.conftest import browser

SECONDS = 10.0
OTHERS = ("lbmt-darkroom", "lbmt-weblog", "vpn-edge")


def page(made: Scratch) -> bool:
    return web(made, "visitor").ask("/").status == 200


def stream(made: Scratch) -> bool:
    visitor = web(made, "visitor")
    inside(visitor.netns, lambda: socket.create_connection((visitor.address, 25565), timeout=1).close())
    return True


def limited(made: Scratch) -> bool:
    """The count is kept again: more than declared is refused."""
    limit = made.estate.site.requests
    assert limit is not None
    return 429 in web(made, "laptop").statuses("/", limit.count + 5)


def report(made: Scratch) -> bool:
    """A visit made now is in the report."""
    name = uuid4().hex
    web(made, "visitor").ask(f"/{name}")
    path = made.instance.home / "volumes/visit-report/index.html"
    until(lambda: path.exists() and name in path.read_text(), SECONDS, f"{name} in the report")
    return True


def banned(made: Scratch) -> bool:
    """A hammerer is kept out."""
    limit, bans = made.estate.site.bans, Bans(host=named(made.netns("host")))
    assert limit is not None
    phone = str(made.estate.link("wan-phone").end("phone").address)
    if phone not in bans.held():
        web(made, "phone").statuses("/", limit.after, method="PUT")
    return phone in bans.held()


def web(made: Scratch, node: str) -> Browser:
    return browser(made.estate, made.instance, named(made.netns(node)))


@pytest.mark.parametrize(
    ("container", "serves"),
    [
        ("reverse-proxy-edge", page),
        ("reverse-proxy-stream", stream),
        ("reverse-proxy-limits", limited),
        ("reverse-proxy-stats", report),
        ("host-bans", banned),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_killed(whole: Scratch, container: str, serves: Callable[[Scratch], bool]) -> None:
    others = {name: pid_of(whole, name) for name in OTHERS}
    os.kill(pid_of(whole, container), signal.SIGKILL)
    until(lambda: tried(serves, whole), SECONDS, f"{container} serves again")
    assert {name: pid_of(whole, name) for name in OTHERS} == others
    assert whole.plan() == []


def tried(serves: Callable[[Scratch], bool], made: Scratch) -> bool:
    try:
        return serves(made)
    except (OSError, ConnectionError):
        return False
