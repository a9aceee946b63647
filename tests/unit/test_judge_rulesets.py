"""The judge of rulesets: every undeclared accept or NAT is named, every declared one missed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fixtures.judge.ruleset import rulesets
from fixtures.observe.evidence import Evidence
from fixtures.observe.ruleset import Ruleset
from fixtures.verdict import Outcome, Verdicts, against
from tests.unit.ideal import ESTATE, ideal, node_named
from tests.unit.ideal_ruleset import ACCEPT, DIRECTION, IIF, OIF, STATE, chain, dynamic, match, payload, rule

Json = dict[str, Any]
Change = Callable[[tuple[Json, ...]], tuple[Json, ...]]
MASQUERADE: Json = {"masquerade": None}
TCP_22 = match(payload("tcp", "dport"), 22)


def judged(node: str, change: Change) -> Verdicts:
    seen = ideal()
    places = tuple(
        replace(place, ruleset=Ruleset(generation=3, listing=change(place.ruleset.listing)))
        if place.name == f"unit.{node}"
        else place
        for place in seen.namespaces
    )
    evidence: Evidence = replace(seen, namespaces=places)
    return against(rulesets(evidence, ESTATE, node_named(node)))


def more(*objects: Json) -> Change:
    return lambda listing: (*listing, *objects)


def first(*objects: Json) -> Change:
    """Before every other rule."""
    return lambda listing: (*(o for o in listing if "rule" not in o), *objects, *(o for o in listing if "rule" in o))


def edited(old: Json, new: Json | None) -> Change:
    """A statement replaced, or taken out, in every rule that has it."""

    def edit(each: Json) -> Json:
        if "rule" not in each or old not in each["rule"]["expr"]:
            return each
        expressions = [new if one == old else one for one in each["rule"]["expr"]]
        return {"rule": each["rule"] | {"expr": [one for one in expressions if one is not None]}}

    return lambda listing: tuple(map(edit, listing))


def lacking(kind: str, name: str) -> Change:
    return lambda listing: tuple(o for o in listing if kind not in o or o[kind].get("name") != name)


def without_rule(word: str) -> Change:
    """The first rule that says so taken out."""

    def change(listing: tuple[Json, ...]) -> tuple[Json, ...]:
        place = next(at for at, each in enumerate(listing) if "rule" in each and word in str(each))
        return (*listing[:place], *listing[place + 1 :])

    return change


def last(word: str) -> Change:
    """The rules that say so, after all others."""
    return lambda listing: (
        *(each for each in listing if "rule" not in each or word not in str(each)),
        *(each for each in listing if "rule" in each and word in str(each)),
    )


def retold(old: str, new: str) -> Change:
    def change(listing: tuple[Json, ...]) -> tuple[Json, ...]:
        text = json.dumps(listing)
        assert old in text
        return tuple(json.loads(text.replace(old, new)))

    return change


BROKEN: dict[str, tuple[str, Change, str]] = {
    "an accept": ("git-web", more(rule("input", TCP_22, ACCEPT)), "dport 22"),
    "an accept of everything": ("git-web", more(rule("input", ACCEPT)), "iif (any other)"),
    "an accept from anywhere": (
        "git-web",
        edited(match(payload("ip", "saddr"), "172.16.4.0"), None),
        "saddr 0.0.0.0-172.16.3.255",
    ),
    "an accept to broadcast": ("git-web", edited(match(payload("ip", "daddr"), "172.16.4.1"), None), "daddr 0.0.0.0"),
    "an accept on another interface": ("git-web", edited(match(IIF, "pub-git-web"), None), "iif (any other)"),
    "an accept for IPv6": ("git-web", more(rule("input", match({"meta": {"key": "nfproto"}}, "ipv6"), ACCEPT)), "ip6"),
    "an accept of related": (
        "git-web",
        edited(match(STATE, "established", "in"), match(STATE, ["established", "related"], "in")),
        "related",
    ),
    "an answer that opens": ("git-web", edited(match(DIRECTION, "reply"), None), "direction original"),
    "an accept that never acts": (
        "git-web",
        more(rule("input", {"drop": None}), rule("input", TCP_22, ACCEPT)),
        "dport 22",
    ),
    "a way around DNAT": ("host", edited(match({"ct": {"key": "status"}}, "dnat", "in"), None), "dnat 0"),
    "forwarding leaf to leaf": (
        "reverse-proxy-edge",
        more(rule("forward", match(IIF, "pub-git-web"), match(OIF, "pub-lbmt-shop"), ACCEPT)),
        "iif pub-git-web, oif pub-lbmt-shop",
    ),
    "a peer's flow for everybody": (
        "vpn-edge",
        edited(match(payload("ip", "saddr"), "10.100.0.2"), None),
        "saddr 0.0.0.0-10.100.0.1",
    ),
    "a masquerade": ("host", more(rule("postrouting", match(OIF, "host-pub"), MASQUERADE)), "masquerade"),
    "a DNAT": (
        "host",
        more(rule("prerouting", TCP_22, {"dnat": {"family": "ip", "addr": "172.16.4.1"}})),
        "dnat addr 172.16.4.1",
    ),
    "a flow that is dropped": ("git-web", first(rule("input", {"drop": None})), "not for"),
    "a flow that is dropped now and then": (
        "git-web",
        first(rule("input", {"limit": {"rate": 1, "per": "second"}}, {"drop": None})),
        "not for",
    ),
    "no answers": ("git-web", edited(match(STATE, "established", "in"), match(STATE, "invalid", "in")), "not for"),
    "no masquerade": ("vpn-edge", edited(MASQUERADE, {"accept": None}), "not for"),
    "no chain": ("git-web", lacking("chain", "forward"), "every packet passes"),
    "a policy of accept": (
        "git-web",
        lambda listing: (*lacking("chain", "output")(listing), chain("output", "filter", policy="accept")),
        "policy of output",
    ),
    "a table": ("git-web", more({"table": {"family": "ip", "name": "nat", "handle": 2}}), "table ip nat"),
    "a chain before": ("git-web", more(chain("raw", "filter", hook="prerouting", prio=-300)), "at prerouting"),
    "a chain of another table": (
        "git-web",
        more(chain("input", "filter", table="other", prio=-10)),
        "chain inet other input",
    ),
    "a chain that nobody enters": ("git-web", more(chain("spare", "", hook="")), "chain inet pluto spare"),
    "a netdev chain": (
        "git-web",
        more(chain("x", "filter", family="netdev", table="t", hook="ingress")),
        "chain netdev t x",
    ),
    "a flow table": ("git-web", more({"flowtable": {"family": "inet", "table": "pluto", "name": "f"}}), "flowtable"),
    "no bans": ("host", without_rule("@banned"), "accepted unasked"),
    "no flood meter on one port": ("host", without_rule("@flood"), "accepted unasked"),
    "bans after the accepts": ("host", last("@banned"), "accepted unasked"),
    "bans of the tunnel's peers": (
        "host",
        first(rule("forward", match(payload("ip", "saddr"), "@banned"), {"drop": None})),
        "rule 7 of forward",
    ),
    "a looser meter": ("host", retold('"rate": 10', '"rate": 1000'), "not for"),
    "a larger set": ("host", retold('"size": 4096', '"size": 9'), "9 at most"),
    "bans for good": ("host", retold('"timeout": 600', '"timeout": 0'), "for 0 s"),
    "a set more": ("git-web", more(dynamic("sly", size=8, timeout=1)), "set sly"),
    "an accept of whom a set holds": (
        "host",
        first(rule("forward", match(payload("ip", "saddr"), "@banned"), ACCEPT)),
        "accept for",
    ),
    "somebody more on the whitelist": (
        "host",
        retold('["203.0.113.1", "203.0.113.3"]', '["203.0.113.1", "203.0.113.3", "203.0.113.9"]'),
        "element 203.0.113.9 of whitelist-players, which nobody declared or recorded",
    ),
    "somebody for a while on the edge's whitelist": (
        "reverse-proxy-edge",
        retold('["203.0.113.1", "203.0.113.3"]', '["203.0.113.1", "203.0.113.3", {"elem": {"val": "203.0.113.9"}}]'),
        "accept for",
    ),
    "nobody declared on the whitelist": (
        "reverse-proxy-edge",
        retold('["203.0.113.1", "203.0.113.3"]', '["203.0.113.3"]'),
        "no element 203.0.113.1 in whitelist-players",
    ),
    "nobody recorded on the whitelist": (
        "host",
        retold('["203.0.113.1", "203.0.113.3"]', '["203.0.113.1"]'),
        "no element 203.0.113.3 in whitelist-players",
    ),
    "an address in the whitelist's place": (
        "host",
        lambda listing: lacking("set", "whitelist-players")(
            retold('"@whitelist-players"', '"203.0.113.1"')(listing),
        ),
        "no such dynamic set",
    ),
    "a smaller whitelist": (
        "reverse-proxy-edge",
        retold('"size": 1024', '"size": 4'),
        "ipv4_addr, 4 at most",
    ),
    "a whitelist for every port": (
        "reverse-proxy-edge",
        first(rule("input", match(payload("ip", "saddr"), "@whitelist-players"), ACCEPT)),
        "saddr 203.0.113.1|203.0.113.3",
    ),
    "the game for everybody": (
        "reverse-proxy-edge",
        edited(match(payload("ip", "saddr"), "@whitelist-players"), None),
        "saddr 0.0.0.0-203.0.113.0",
    ),
    "a ruleset of the world's": ("visitor", more({"table": {"family": "inet", "name": "x", "handle": 2}}), "table"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken(what: str) -> None:
    node, change, seen = BROKEN[what]
    told = judged(node, change)
    assert any(seen in verdict.seen for verdict in told), [str(verdict) for verdict in told]
    assert {verdict.outcome for verdict in told} == {Outcome.BROKEN}
    assert all(verdict.expected and f"unit.{node}" in verdict.again for verdict in told)


HELD: dict[str, tuple[str, Change]] = {
    "a log": ("git-web", more(rule("input", {"limit": {"rate": 1, "per": "second"}}, {"log": {"prefix": "x"}}))),
    "a last drop": ("git-web", more(rule("input", {"counter": {"packets": 1, "bytes": 2}}, {"drop": None}))),
    "the same twice": ("git-web", lambda listing: (*listing, *(o for o in listing if "rule" in o))),
    "another order": ("vpn-edge", lambda listing: tuple(reversed(listing))),
    "a drop of the invalid": ("git-web", first(rule("input", match(STATE, "invalid", "in"), {"drop": None}))),
    "somebody banned": ("host", retold('"timeout": 600', '"timeout": 600, "elem": ["203.0.113.1"]')),
    "a DNAT that says its port": (
        "host",
        edited(
            {"dnat": {"family": "ip", "addr": "192.168.101.1"}},
            {"dnat": {"family": "ip", "addr": "192.168.101.1", "port": 51820}},
        ),
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_held(what: str) -> None:
    node, change = HELD[what]
    assert judged(node, change) == ()


@pytest.mark.parametrize(
    ("change", "seen"),
    [(retold(', "inv": true', ""), "accepted unasked"), (lacking("set", "flood"), "no such dynamic set")],
    ids=["a meter the other way round", "a set less"],
)
def test_a_guard_that_cannot_be_read_guards_nothing(change: Change, seen: str) -> None:
    told = judged("host", change)
    assert any(seen in verdict.seen for verdict in told if verdict.outcome is Outcome.BROKEN)
    assert any(verdict.outcome is Outcome.UNPROVEN for verdict in told)


def test_a_rule_that_cannot_be_read_is_unproven_and_named() -> None:
    strange = rule("input", match({"meta": {"key": "mark"}}, 1), ACCEPT, comment="backdoor")
    (told,) = judged("git-web", more(strange))
    assert told.outcome is Outcome.UNPROVEN
    assert "rule 7 of input (backdoor)" in told.seen


def test_a_missing_flow_is_unproven_where_a_rule_cannot_be_read() -> None:
    hidden = match({"meta": {"key": "mark"}}, 1)
    told = judged("git-web", edited(match(payload("tcp", "dport"), 8080), hidden))
    assert {verdict.outcome for verdict in told} == {Outcome.UNPROVEN}
