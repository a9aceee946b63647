"""Limits of one address: requests over one connection, and new connections; a second address is not concerned."""

import contextlib
import errno
import select
import socket
from collections.abc import Callable

from fixtures.bans import Bans
from fixtures.netns import inside
from fixtures.run import run
from fixtures.wait import wait
from fixtures.web import Browser
from specs.model import Estate
from tests.services.conftest import Stranger

Strangers = Callable[[str], Stranger]
BAN_SECONDS = 15.0


def test_burst_over_one_connection_is_429(visitor: Browser, stranger: Strangers, bans: Bans, estate: Estate) -> None:
    """HTTP/1.1: who asks more than declared is told to wait; others are not; who goes on all the same is banned."""
    greedy, limit = stranger("phone"), estate.site.requests
    assert limit is not None
    answers = greedy.browser.many("/", limit.count + refusals(estate))
    first = first_refused([answer.status for answer in answers])
    assert 0 < first <= limit.count
    assert answers[first].headers["retry-after"] == str(limit.seconds)
    assert answers[first].headers.keys() >= {name.lower() for name, _ in estate.site.headers.put}
    assert visitor.ask("/").status == 200
    wait(
        lambda: greedy.address in bans.held(),
        what=f"{greedy.address} banned after so many refusals",
        seconds=BAN_SECONDS,
    )


def test_burst_over_http2_is_429(visitor: Browser, stranger: Strangers, bans: Bans, estate: Estate) -> None:
    """HTTP/2, by curl(1): all of them over one connection, as it tells itself, several at once: a burst."""
    greedy, limit = stranger("wan"), estate.site.requests
    assert limit is not None
    name, told = estate.site.hostname, "%{http_version} %{http_code} %{num_connects}\\n"
    argv = (
        *("curl", "--silent", "--http2", "--parallel", "--output", "/dev/null", "--write-out", told),
        *("--cacert", str(greedy.browser.authority), "--resolve", f"{name}:443:{greedy.browser.address}"),
        f"https://{name}/?[1-{limit.count + refusals(estate)}]",
    )
    lines = [line.split() for line in inside(greedy.browser.netns, lambda: run(argv)).splitlines()]
    assert {version for version, _, _ in lines} == {"2"}
    assert sum(int(connects) for _, _, connects in lines) == 1
    assert 0 < first_refused([int(code) for _, code, _ in lines]) <= limit.count
    assert visitor.ask("/").status == 200
    wait(
        lambda: greedy.address in bans.held(),
        what=f"{greedy.address} banned after so many refusals",
        seconds=BAN_SECONDS,
    )


def test_flood_of_connections(visitor: Browser, stranger: Strangers, estate: Estate) -> None:
    """Three bursts at once: about one of them is answered; another address is answered at once meanwhile."""
    flooder, limit = stranger("laptop"), estate.site.flood
    assert limit is not None
    answered = inside(flooder.browser.netns, lambda: at_once(flooder.browser.address, 3 * limit.burst, 0.5))
    assert limit.burst <= answered <= limit.burst + limit.rate
    assert inside(visitor.netns, lambda: at_once(visitor.address, 1, 0.5)) == 1


def refusals(estate: Estate) -> int:
    """So many that a ban follows, and few are left to count towards another."""
    assert estate.site.bans is not None
    return estate.site.bans.after


def first_refused(seen: list[int]) -> int:
    """After how many answers the first 429 comes; earlier than declared where a test before this one asked, too."""
    refused = seen.index(429)
    assert set(seen[:refused]) == {200}
    assert set(seen) == {200, 429}
    return refused


def at_once(address: str, count: int, seconds: float) -> int:
    """How many of so many connections are open after so long; less than the second after which Linux asks again."""
    opened = [socket.socket() for _ in range(count)]
    poll = select.poll()
    for each in opened:
        each.setblocking(False)
        assert each.connect_ex((address, 443)) == errno.EINPROGRESS
        poll.register(each, select.POLLOUT)
    found: set[int] = set()
    with contextlib.suppress(TimeoutError):
        wait(lambda: _answered(poll, found) == count, what="every connection", seconds=seconds)
    for each in opened:
        each.close()
    return len(found)


def _answered(poll: select.poll, found: set[int]) -> int:
    for descriptor, _ in poll.poll(0):
        found.add(descriptor)
        poll.unregister(descriptor)
    return len(found)
