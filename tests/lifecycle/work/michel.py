"""What the containers of michel do: the ways in, their limits and bans, who is let in, and the page of visits."""

import socket
from pathlib import Path
from uuid import uuid4

from fixtures.bans import Bans
from fixtures.netns import inside, named
from fixtures.scratch import Scratch
from fixtures.tamper import tamper
from fixtures.wait import wait
from fixtures.whitelist import held
from specs.model import HOST
from specs.whitelist import expected, set_name
from tests.lifecycle.killed import Prepare, Work
from tests.lifecycle.work.browse import page, web
from tests.services.conftest import source

EDGE, PLAYERS, TUNNELED = "reverse-proxy-edge", "players", "priv-navidrome-server"
GREEDY = "wan"  # nobody else's client: what it earns disturbs no other work


def streams(made: Scratch) -> bool:
    visitor = web(made)
    inside(visitor.netns, lambda: socket.create_connection((visitor.address, 25565), timeout=1).close())
    return True


def tunnels(made: Scratch, _folder: Path) -> Work:
    """A peer that connects anew is served: its wireguard-go is told its whole configuration again, as by wg(8) setconf.

    One in mid-session begins a new one by itself, but not within 10 s: test_session_that_was_cut_goes_on.
    """
    address = str(made.estate.link(TUNNELED).end("navidrome-server").address)
    again = (made.instance.secrets / "laptop/etc-wireguard-wg0.conf").read_text().split()
    anew: list[bool] = []

    def work(_: Scratch) -> bool:
        if not anew:
            tamper(named(made.netns("laptop")), made.estate.tunnel.ifname, again[1:])
            anew.append(True)
        inside(named(made.netns("laptop")), lambda: socket.create_connection((address, 4533), timeout=1).close())
        return True

    return work


def limits(made: Scratch) -> bool:
    """The count is kept again: more than declared is refused."""
    limit = made.estate.site.requests
    assert limit is not None
    return 429 in web(made, GREEDY).statuses("/", limit.count + 5)


def reports(made: Scratch, _folder: Path) -> Work:
    """A new page of visits, with the one made just before."""
    path, name = made.instance.home / "volumes/visit-report/index.html", uuid4().hex
    wait(path.exists, what="the first page of visits", seconds=60)
    web(made).ask(f"/{name}")
    before = path.stat().st_mtime_ns
    return lambda _: path.stat().st_mtime_ns > before and name in path.read_text()


def bans(made: Scratch, _folder: Path) -> Work:
    """A hammerer is kept out, and let in again by who asks for it."""
    limit, kept, hammerer = made.estate.site.bans, Bans(host=named(made.netns(HOST))), web(made, GREEDY)
    assert limit is not None
    count, address = limit.after, inside(hammerer.netns, lambda: source(hammerer.address))
    kept.forget(address)

    def work(_: Scratch) -> bool:
        if address not in kept.held():
            hammerer.statuses("/", count, method="PUT")
            wait(lambda: address in kept.held(), what=f"{address} banned", seconds=4)
        kept.lift(address)
        return address not in kept.held()

    return work


def lets_in(node: str) -> Prepare:
    """Whatever was done to its set meanwhile, it is right again."""

    def prepare(made: Scratch, _folder: Path) -> Work:
        name, players = set_name(PLAYERS), {str(each) for each in expected(made.estate, PLAYERS)}
        wait(lambda: held(made.instance, node, name) == players, what=f"the set of {node} as declared", seconds=30)
        for verb, address in (("add", "203.0.113.5"), ("delete", max(players))):
            made.inside(node, "nft", verb, "element", "inet", "pluto", name, f"{{ {address} }}")
        return lambda _: held(made.instance, node, name) == players

    return prepare


WORK: dict[str, Prepare] = {
    "reverse-proxy-edge": page("/"),
    "reverse-proxy-stream": lambda *_: streams,
    "reverse-proxy-limits": lambda *_: limits,
    "reverse-proxy-stats": reports,
    "reverse-proxy-whitelist": lets_in(EDGE),
    "host-whitelist": lets_in(HOST),
    "host-bans": bans,
    "vpn-edge": tunnels,
}
