"""The two sites and the edge before them, asked by a visitor from the internet."""

import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.netns import inside
from fixtures.web import Browser
from specs.instance import Instance
from specs.model import Estate

PAGES = {"/": b"darkroom", "/blog/": b"weblog"}


@pytest.mark.parametrize("path", PAGES)
def test_page(visitor: Browser, path: str) -> None:
    answer = visitor.ask(path)
    assert answer.status == 200
    assert PAGES[path] in answer.body.lower()
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_somewhere(visitor: Browser, path: str) -> None:
    """Every link of the page that stays on the site, the weblog's under /blog/."""
    links = set(re.findall(rb'(?:href|src)="(/[^"#]*)', visitor.ask(path).body))
    assert links
    assert {link.decode(): visitor.ask(link.decode()).status for link in links} == {
        link.decode(): 200 for link in links
    }
    assert all(link.startswith(path.encode()) for link in links - {b"/"})  # the weblog leads home as well


@pytest.mark.parametrize("path", ["/", "/blog/", "/no-such-page", "/git/"])
def test_headers(visitor: Browser, estate: Estate, path: str) -> None:
    """Set and hidden on every answer, the failing ones too."""
    answer = visitor.ask(path)
    assert {name: answer.headers.get(name.lower()) for name, _ in estate.site.headers.put} == dict(
        estate.site.headers.put
    )
    assert not {name.lower() for name in estate.site.headers.hidden} & set(answer.headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_method_passes(visitor: Browser, method: str) -> None:
    assert visitor.ask("/blog/", method=method).status != 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
def test_method_is_refused(visitor: Browser, method: str) -> None:
    answer = visitor.ask("/", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST, HEAD"


def test_http_leads_to_https(visitor: Browser, estate: Estate) -> None:
    answer = visitor.ask("/blog/", port=80)
    assert answer.status == 308
    assert answer.headers["location"] == f"https://{estate.site.hostname}/blog/"


def test_certificate_is_of_the_labs_own_authority(visitor: Browser, tmp_path: Path) -> None:
    """The same request without that root is refused: what test_page trusts is not just anything."""
    empty = tmp_path / "none.pem"
    empty.write_bytes(Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt").read_bytes())
    with pytest.raises(ssl.SSLCertVerificationError):
        replace(visitor, authority=empty).ask("/")


def test_log_holds_the_visitors_own_address(visitor: Browser, estate: Estate, instance: Instance) -> None:
    log = instance.home / "volumes/access-log/access.log"
    mark = f"/looked-for-{log.stat().st_size}"
    visitor.ask(mark)
    lines = [json.loads(line) for line in log.read_text().splitlines() if mark in line]
    assert [line["request"]["remote_ip"] for line in lines] == [address_of(estate, "visitor")]


def address_of(estate: Estate, node: str) -> str:
    (address,) = (str(end.address) for link in estate.world.links for end in link.endpoints if end.node == node)
    return address


def test_game_port_is_handed_through(visitor: Browser) -> None:
    """haproxy takes the connection; the game itself comes with a later image."""
    inside(visitor.netns, lambda: socket.create_connection((visitor.address, 25565), timeout=5).close())


@pytest.mark.parametrize("node", ["visitor", "laptop"])
def test_leaves_are_there_for_the_edge_alone(estate: Estate, place: Callable[[str], Path], node: str) -> None:
    """Sites and game: what the edge may ask (the control), others may not, although they know the address."""
    leaves = list(public_leaves(estate))
    assert len(leaves) > 3
    for leaf in leaves:
        connect(place("reverse-proxy-edge"), leaf, 5)
        with pytest.raises(OSError, match=r"timed out|unreachable"):
            connect(place(node), leaf, 0.5)


def connect(netns: Path, leaf: tuple[str, int], seconds: float) -> None:
    inside(netns, lambda: socket.create_connection(leaf, timeout=seconds).close())


def public_leaves(estate: Estate) -> Iterator[tuple[str, int]]:
    """Where the edge asks what runs behind it."""
    for flow in estate.flows:
        if flow.source_node == estate.site.edge and not estate.image(estate.container(flow.target).image).pending:
            yield str(estate.link(flow.link).end(flow.target).address), flow.port.number
