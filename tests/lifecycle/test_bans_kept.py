"""Bans outlive a new ruleset: apply takes them over in the same transaction, with the time each has left (law 1)."""

import json

from fixtures.bans import Bans
from fixtures.netns import named
from fixtures.scratch import Scratch

ADDRESS = "203.0.113.1"


def test_ban_outlives_a_new_ruleset(network: Scratch) -> None:
    network.inside("host", "nft", "add", "element", "inet", "pluto", "banned", f"{{ {ADDRESS} timeout 500s }}")
    assert network.plan() == []  # what a deny set holds is no drift
    network.inside("host", "nft", "add", "rule", "inet", "pluto", "input", "tcp", "dport", "22", "accept")
    assert network.plan() == ["~ ruleset host"]
    network.apply()
    assert network.plan() == []
    assert Bans(host=named(network.netns("host"))).held() == {ADDRESS}
    assert 400 < left(network) <= 500


def test_set_that_is_gone_is_drift(network: Scratch) -> None:
    network.inside("host", "nft", "flush", "chain", "inet", "pluto", "forward")
    network.inside("host", "nft", "delete", "set", "inet", "pluto", "banned")
    assert network.plan() == ["~ ruleset host"]
    network.apply()
    assert network.plan() == []


def left(made: Scratch) -> int:
    """Seconds until the ban ends."""
    listed = json.loads(made.inside("host", "nft", "-j", "list", "set", "inet", "pluto", "banned"))
    (found,) = (each["set"]["elem"] for each in listed["nftables"] if "set" in each)
    (element,) = found
    return int(element["elem"]["expires"])
