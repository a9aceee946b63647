"""The smallest spec change: written into a copy of the declaration it loads, and means exactly the flow asked for."""

import re
import shutil
from itertools import permutations
from pathlib import Path

import pytest

from provision.grant import Entry, Grant, Member, Never, Row, grant
from specs.load import DEFAULT_FOLDER, load
from specs.model import HOST, LAN, PEERS, WAN, Estate, Port, Protocol

PORT = Port(protocol=Protocol.TCP, number=7777)
ESTATE = load()
ENDS = (HOST, WAN, LAN, "laptop", *(c.name for c in ESTATE.containers if c.shares is None))


def written(folder: Path, change: Entry | Row) -> Estate:
    """The declaration in `folder` with the change made, as its reader would make it."""
    file = folder / "links.yaml"
    text = file.read_text()
    if isinstance(change, Row):
        file.write_text("\n".join([text.rstrip(), *(f"  {line}" for line in change.lines()), ""]))
        return load(folder)
    lines = text.splitlines()
    row = range(change.link.source.line, len(lines))
    place = next(index for index in row if lines[index].lstrip().startswith("allow:"))
    lines[place] = re.sub(r"\]", f", {change.text}]", lines[place], count=1)
    file.write_text("\n".join(lines))
    return load(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path_factory.mktemp("grant") / "pluto"))


@pytest.mark.parametrize(("source", "target"), list(permutations(["vpn-edge", "git-web", "lbmt-shop", HOST, WAN], 2)))
def test_what_is_said_can_be_done(folder: Path, source: str, target: str) -> None:
    change = grant(ESTATE, source, target, PORT)
    if not isinstance(change, Entry | Row):
        return
    links = folder / "links.yaml"
    before = links.read_text()
    try:
        after = written(folder, change)
    finally:
        links.write_text(before)
    gained = {str(flow) for flow in after.flows} - {str(flow) for flow in ESTATE.flows}
    assert gained == {f"{source} -> {target} {PORT}"}


def test_every_pair_has_an_answer() -> None:
    """Never where law 4 parts them, an entry where a link is, a row elsewhere."""
    for source, target in permutations(ENDS, 2):
        found = grant(ESTATE, source, target, PORT)
        joined = any({link.a.node, link.b.node} == {source, target} for link in ESTATE.links)
        assert isinstance(found, Entry) or not joined
        if LAN in (source, target) or target == "laptop":
            assert isinstance(found, Never)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("reverse-proxy-edge", "git-web", Entry(link=ESTATE.link("pub-git-web"), text="a -> b tcp/7777")),
        ("git-web", "reverse-proxy-edge", Entry(link=ESTATE.link("pub-git-web"), text="b -> a tcp/7777")),
        ("phone", "git-ssh", Entry(link=ESTATE.link("priv-git-ssh"), text="phone -> b tcp/7777")),
        (PEERS, "git-ssh", Entry(link=ESTATE.link("priv-git-ssh"), text="peers -> b tcp/7777")),
        (WAN, "vpn-edge", Entry(link=ESTATE.link("host-priv"), text="wan -> b tcp/7777")),
        ("vpn-edge", WAN, Entry(link=ESTATE.link("host-priv"), text="b -> wan tcp/7777")),
    ],
)
def test_entries(source: str, target: str, said: Grant) -> None:
    assert grant(ESTATE, source, target, PORT) == said


def test_rows() -> None:
    """A hub's wire as `new container` lays it, a leaf's way to a hub turned round, and a wire between two leaves."""
    assert grant(ESTATE, "laptop", "git-web", PORT) == Row(
        name="priv-git-web", a="vpn-edge 10.1.8.0", b="git-web 10.1.8.1", allow="laptop -> b tcp/7777"
    )
    assert grant(ESTATE, "git-ssh", "reverse-proxy-edge", PORT) == Row(
        name="pub-git-ssh", a="reverse-proxy-edge 172.16.7.0", b="git-ssh 172.16.7.1", allow="b -> a tcp/7777"
    )
    assert grant(ESTATE, "lbmt-shop", "git-web", PORT) == Row(
        name="lbmt-shop-git-web", a="lbmt-shop 10.254.2.0", b="git-web 10.254.2.1", allow="a -> b tcp/7777"
    )


@pytest.mark.parametrize(
    ("source", "target", "law"),
    [
        (WAN, "git-web", "the WAN reaches reverse-proxy-edge and vpn-edge alone"),
        ("git-web", WAN, "only an edge has a way out"),
        ("git-web", LAN, "nothing in the estate reaches the LAN"),
        ("laptop", "reverse-proxy-edge", "no edge and no host"),
        ("laptop", "phone", "opens none to a peer"),
        (HOST, "git-web", "linked to the two hubs alone"),
    ],
)
def test_laws(source: str, target: str, law: str) -> None:
    found = grant(ESTATE, source, target, PORT)
    assert isinstance(found, Never)
    assert law in found.law


def test_a_port_that_the_host_hands_on() -> None:
    found = grant(ESTATE, WAN, "vpn-edge", Port(protocol=Protocol.TCP, number=443))
    assert isinstance(found, Never)
    assert "tcp/443 to reverse-proxy-edge (links.yaml:" in found.law


def test_a_whitelists_port() -> None:
    """It is for those on the list, so the smallest change is one more of them."""
    found = grant(ESTATE, WAN, "reverse-proxy-edge", Port(protocol=Protocol.TCP, number=25565))
    assert isinstance(found, Member)
    assert (found.whitelist, found.source.file) == ("players", "estate.yaml")


def test_icmp() -> None:
    found = grant(ESTATE, "reverse-proxy-edge", "git-web", None)
    assert isinstance(found, Never)
    assert "docs/decisions/004" in found.law
