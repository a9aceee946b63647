"""The live matrix: everybody sends to everybody; what no flow declares is accepted by nobody."""

from fixtures.judge import pair as judge
from fixtures.judge.pair import Traffic
from fixtures.report.terminal import settle


def test_pair(traffic_seen: Traffic, pair: tuple[str, str]) -> None:
    settle(judge.pair(traffic_seen, *pair))
