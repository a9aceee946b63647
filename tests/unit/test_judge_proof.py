"""The proof over ideal evidence: it holds, and one thing broken shows in the right pair with the right packet."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import JsonValue

from fixtures.judge import proof as judge
from fixtures.judge.proof import proved
from fixtures.observe.evidence import Evidence, Namespace
from fixtures.observe.qdisc import Qdisc
from fixtures.observe.rule import Rule
from fixtures.observe.ruleset import Ruleset
from fixtures.verdict import Outcome, against
from tests.unit.ideal import ESTATE, ideal
from tests.unit.ideal_ruleset import ACCEPT, IIF, match, payload, rule

Change = Callable[[Namespace], Namespace]


def changed(node: str, change: Change) -> Evidence:
    seen = ideal()
    places = tuple(change(each) if each.name == f"unit.{node}" else each for each in seen.namespaces)
    return replace(seen, namespaces=places)


def ruled(*more: dict[str, JsonValue]) -> Change:
    return lambda place: replace(place, ruleset=Ruleset(generation=2, listing=(*place.ruleset.listing, *more)))


def test_the_ideal_estate_is_proved() -> None:
    found = proved(ideal(), ESTATE)
    assert found.proof.findings == ()
    assert found.proof.unread == ()
    assert against(judge.everything(ideal(), ESTATE)) == ()


def told(evidence: Evidence, one: str, other: str) -> tuple[Outcome, str]:
    (verdict,) = judge.pair(proved(evidence, ESTATE), one, other)
    return verdict.outcome, verdict.seen


def test_an_accept_is_broken_by_a_packet_and_its_rule() -> None:
    hole = rule("input", match(IIF, "pub-git-web"), match(payload("tcp", "dport"), 22), ACCEPT, comment="hole")
    outcome, seen = told(changed("git-web", ruled(hole)), "reverse-proxy-edge", "git-web")
    assert outcome is Outcome.BROKEN
    assert "tcp 172.16.4.0:40000 > " in seen
    assert "git-web (pub-git-web): rule 7 of input (hole)" in seen


def test_an_unread_rule_is_unproven_by_name() -> None:
    strange = rule("input", match({"meta": {"key": "mark"}}, 1), ACCEPT, comment="backdoor")
    outcome, seen = told(changed("git-web", ruled(strange)), "reverse-proxy-edge", "git-web")
    assert outcome is Outcome.UNPROVEN
    assert "(backdoor)" in seen


def test_a_doubted_rule_is_unproven() -> None:
    def doubt(place: Namespace) -> Namespace:
        return replace(place, ruleset=replace(place.ruleset, doubted=(7,)))

    outcome, seen = told(changed("git-web", doubt), "reverse-proxy-edge", "git-web")
    assert outcome is Outcome.UNPROVEN
    assert "does not load back" in seen


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda place: replace(place, qdiscs=(*place.qdiscs, Qdisc(ifname="pub-git-web", kind="clsact"))), "clsact"),
        (
            lambda place: replace(
                place, rules=(*place.rules, Rule(family="inet", priority=9, table="100", match=("src=10.0.0.1",)))
            ),
            "policy routing",
        ),
        (
            lambda place: replace(place, sysctls={**place.sysctls, "net.ipv4.conf.all.route_localnet": "1"}),
            "route_localnet",
        ),
    ],
    ids=["clsact", "policy routing", "route_localnet"],
)
def test_what_the_model_does_not_know_is_unproven(change: Change, word: str) -> None:
    outcome, seen = told(changed("git-web", change), "reverse-proxy-edge", "git-web")
    assert outcome is Outcome.UNPROVEN
    assert word in seen


def test_ipv6_on_a_wire_reaches_the_group_of_all_nodes() -> None:
    def enabled(place: Namespace) -> Namespace:
        keys = {"net.ipv6.conf.pub-git-web.disable_ipv6": "0", "net.ipv6.conf.all.disable_ipv6": "0"}
        hole = rule("input", match({"meta": {"key": "nfproto"}}, "ipv6"), ACCEPT)
        return ruled(hole)(replace(place, sysctls={**place.sysctls, **keys}))

    outcome, seen = told(changed("git-web", enabled), "reverse-proxy-edge", "git-web")
    assert outcome is Outcome.BROKEN
    assert "ff02::1" in seen


def test_a_hole_for_ipv6_is_none_where_ipv6_is_off() -> None:
    hole = rule("input", match({"meta": {"key": "nfproto"}}, "ipv6"), ACCEPT)
    assert told(changed("git-web", ruled(hole)), "reverse-proxy-edge", "git-web")[0] is Outcome.HELD


def test_a_flow_that_is_dropped_does_not_arrive() -> None:
    evidence = changed("git-web", lambda place: replace(place, ruleset=Ruleset(generation=2, listing=_dropping(place))))
    broken = [str(each) for each in against(judge.flows(proved(evidence, ESTATE)))]
    assert any("reverse-proxy-edge -> git-web tcp/8080" in each and "opening" in each for each in broken)


def _dropping(place: Namespace) -> tuple[dict[str, JsonValue], ...]:
    return tuple(each for each in place.ruleset.listing if "rule" not in each)
