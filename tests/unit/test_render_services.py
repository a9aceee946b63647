"""The services' configuration files, compared whole with the files in golden/.

After a change that is meant: UPDATE_GOLDEN=1 pytest tests/unit/test_render_services.py, then read the difference.
"""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provision import x25519
from provision.render import caddyfile, fail2ban, haproxy, lighttpd, nft, records, tiles, whitelists, wireguard
from provision.render.wireguard import PeerKeys, Secret, TunnelKeys
from specs.model import Bans, Estate, Profile, Requests, Whitelist, World, WorldNode
from tests.unit.small_estate import estate, link

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), f"{path} differs; if that is meant: UPDATE_GOLDEN=1"


@pytest.mark.parametrize("profile", Profile)
def test_caddyfile(profile: Profile) -> None:
    small = estate(profile)
    assert_golden(f"small-{profile}.Caddyfile", caddyfile.render(small, small.container("edge")))


def test_caddyfile_asks_the_longest_path_first_and_leaves_out_what_no_flow_reaches() -> None:
    small = estate()
    text = caddyfile.render(small, small.container("edge"))
    assert text.index("handle /blog/drafts/*") < text.index("handle /blog/*") < text.index("handle /*")
    assert "unreached" not in text


def test_caddyfile_never_says_hsts_over_plain_http() -> None:
    small = estate()
    text = caddyfile.render(small, small.container("edge"))
    plain = text[text.index("(plain)") : text.index("http://small.example")]
    assert "Strict-Transport-Security" not in plain
    assert "X-Says" in plain


def test_haproxy() -> None:
    small = estate()
    assert_golden("small-haproxy.cfg", haproxy.render(small, small.container("stream")))


def test_haproxy_without_a_stream_says_so() -> None:
    small = estate()
    small = replace(small, flows=tuple(flow for flow in small.flows if flow.target != "game"))
    with pytest.raises(ValueError, match="no flow brings a stream from edge to a leaf: stream would"):
        haproxy.render(small, small.container("stream"))


def limited() -> Estate:
    """The small estate with limits, and a sidecar that counts."""
    small = estate()
    counter = replace(small.container("stream"), name="counter", loopback=8429)
    module = replace(small.modules[0], containers=(*small.modules[0].containers, counter))
    site = replace(small.site, requests=Requests(count=20, seconds=10), bans=Bans(after=5, within=60, seconds=600))
    return replace(small, modules=(module,), site=site)


def test_haproxy_that_counts() -> None:
    assert_golden("small-haproxy-limits.cfg", haproxy.render(limited(), limited().container("counter")))


def test_haproxy_that_would_count_nothing_says_so() -> None:
    small = limited()
    with pytest.raises(ValueError, match="the site limits no requests: counter would"):
        haproxy.render(replace(small, site=estate().site), small.container("counter"))


def test_caddy_asks_who_counts_once_the_method_is_right() -> None:
    text = caddyfile.render(limited(), limited().container("edge"))
    site = text[text.index("https://small.example") :]
    asked = site.index("forward_auth 127.0.0.1:8429 {")
    assert site.index("respond 405") < asked < site.index("handle /blog/*")
    assert text.count("forward_auth") == 1


def test_fail2ban() -> None:
    assert_golden("small-jail.conf", fail2ban.render(limited(), limited().container("hub")))


def test_fail2ban_without_bans_says_so() -> None:
    with pytest.raises(ValueError, match="the site bans nobody: hub would"):
        fail2ban.render(estate(), estate().container("hub"))


@pytest.mark.parametrize("name", ["weblog", "drafts"])
def test_lighttpd(name: str) -> None:
    small = estate()
    assert_golden(f"small-lighttpd-{name}.conf", lighttpd.render(small, small.container(name)))


def test_tiles() -> None:
    assert_golden("small-tiles.conf", tiles.render(estate(), estate().container("weblog")))


def listed() -> Estate:
    """The small estate, whose game is open to a whitelist alone, with a resolver in its world."""
    small = estate()
    friends = Whitelist(
        name="friends", addresses=(IPv4Address("203.0.113.1"),), names=("home.example",), source=small.links[0].source
    )
    flows = tuple(
        replace(flow, source_node="friends") if flow.port.number == 25565 and flow.source_node == "wan" else flow
        for flow in small.flows
    )
    host = replace(small.host, resolver=IPv4Address("198.51.100.3"))
    answer = (("home.example", IPv4Address("203.0.113.3")),)
    node = WorldNode(name="resolver", forwards=False, gateway=None, routes=(), zone="wan", records=answer)
    world = World(nodes=(node,), links=(link("out", "wan", "resolver", "198.51.100.2"),))
    return replace(small, flows=flows, host=host, whitelists=(friends,), world=world)


@pytest.mark.parametrize("shares", ["host", "edge"])
def test_whitelists(shares: str) -> None:
    """The host's keeper asks, the edge's follows."""
    keeper = replace(listed().container("stream"), name="keeper", shares=shares)
    assert_golden(f"small-whitelists-{shares}.json", whitelists.render(listed(), keeper))


def test_whitelists_that_nobody_needs_says_so() -> None:
    with pytest.raises(ValueError, match="no whitelist stands in the namespace of hub: hub would"):
        whitelists.render(listed(), listed().container("hub"))


def test_records() -> None:
    resolver = replace(listed().container("stream"), name="resolver", shares=None)
    assert_golden("small-records.json", records.render(listed(), resolver))


def test_ruleset_of_a_whitelist() -> None:
    """Each rule of the game names the list, at both places where the player's address is seen, and both ways."""
    texts = nft.rulesets(listed())
    for node, rules in (("host", 3), ("edge", 2)):
        assert "set whitelist-friends {" in texts[node]
        assert "elements = { 203.0.113.1 }" in texts[node]
        game = [line for line in texts[node].splitlines() if "25565" in line and "friends" in line]
        assert len(game) == rules
        assert all("@whitelist-friends" in line and "@inside" not in line for line in game)
    assert "ip daddr 198.51.100.3 udp dport 53" not in texts["host"]  # the flow of it is the loader's to add


def test_lighttpd_that_nobody_reaches_says_so() -> None:
    small = estate()
    with pytest.raises(ValueError, match="no flow brings TCP to unreached"):
        lighttpd.render(small, small.container("unreached"))


def key(byte: int) -> str:
    return base64.b64encode(bytes([byte] * 32)).decode()


KEYS = TunnelKeys(
    public=key(1),
    private=Secret(key(2)),
    peers=(
        PeerKeys(name="laptop", public=key(3), private=Secret(key(4)), preshared=Secret(key(5))),
        PeerKeys(name="phone", public=key(6), private=None, preshared=Secret(key(7))),
    ),
)


def test_wireguard_hub() -> None:
    assert_golden("small-wireguard-hub", wireguard.render_hub(estate(), KEYS).reveal())


def test_wireguard_peer() -> None:
    small = estate()
    assert_golden("small-wireguard-laptop", wireguard.render_peer(small, small.tunnel.peers[0], KEYS).reveal())


def test_wireguard_peer_whose_key_the_owner_keeps() -> None:
    small = estate()
    with pytest.raises(ValueError, match="the private key of peer phone is its owner's"):
        wireguard.render_peer(small, small.tunnel.peers[1], KEYS)


def test_no_secret_shows_itself() -> None:
    shown = f"{KEYS} {KEYS!r} {wireguard.render_hub(estate(), KEYS)} {KEYS.private!s}"
    assert "***" in shown
    assert not [byte for byte in (2, 4, 5, 7) if key(byte) in shown or bytes([byte] * 32).hex() in shown]


# RFC 7748, section 5.2 and 6.1
@pytest.mark.parametrize(
    ("scalar", "point", "product"),
    [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ],
)
def test_x25519(scalar: str, point: str, product: str) -> None:
    assert x25519.multiply(bytes.fromhex(scalar), bytes.fromhex(point)).hex() == product


def test_made_keys_agree_on_a_secret() -> None:
    a, b = x25519.private_key(), x25519.private_key()
    raw = base64.b64decode
    one = x25519.multiply(raw(a), raw(x25519.public_key(b)))
    assert one == x25519.multiply(raw(b), raw(x25519.public_key(a)))
    assert a != b


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="a key has 32 bytes, this one 3"):
        x25519.public_key(base64.b64encode(b"abc").decode())
