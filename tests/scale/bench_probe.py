"""The whole matrix at the size of the user's estate, timed: `python -m tests.scale.bench_probe`, as root.

visitor ── wan ── host ── hub ── 20 leaves        46 senders x 46 addresses x 65 frames = 137,540 probes
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from fixtures.probe.matrix import Matrix, Result
from fixtures.probe.orders import NO_PORT, every_pair
from fixtures.probe.run import probe
from tests.scale.rig import CLOSED, Rig

LEAVES = 20
DECLARED = (22, 53, 80, 123, 443, 2222, 4533, 7681, 8080, 8334, 25565, 51820)
PROBED = DECLARED + tuple(range(1000, 1020))
PORTS = {"tcp-syn": PROBED, "udp": PROBED, "icmp-echo": NO_PORT}
ACCEPT_8080 = CLOSED.replace("related accept", "related accept\nip daddr 10.99.0.0/16 tcp dport 8080 accept")


@dataclass(frozen=True, kw_only=True)
class Timed:
    matrix: Matrix
    seconds: float
    results: Counter[Result]


def lay(rig: Rig, leaves: int = LEAVES) -> None:
    rig.wire("visitor", "wan", 0)
    rig.wire("wan", "host", 1)
    rig.wire("host", "hub", 2)
    for leaf in range(leaves):
        rig.wire("hub", f"leaf{leaf}", 3 + leaf)
        rig.rules(f"leaf{leaf}", ACCEPT_8080)
    rig.default("visitor", via="wan")
    rig.route("wan", "10.99.0.0/16", via="host")
    rig.route("host", "10.99.0.0/16", via="hub")
    rig.default("hub", via="host")
    rig.rules("hub", CLOSED)
    rig.rules("host", CLOSED)


def timed(rig: Rig) -> Timed:
    started = time.monotonic()
    matrix = probe(rig.senders(), rig.targets(), every_pair(rig.senders(), rig.targets(), PORTS))
    seconds = time.monotonic() - started
    results = Counter(cell.finding(port).result for cell in matrix.cells for port in cell.ports)
    return Timed(matrix=matrix, seconds=seconds, results=results)


def main() -> None:
    with Rig() as rig:
        lay(rig)
        for _ in range(3):
            done = timed(rig)
            told = ", ".join(f"{count} {result}" for result, count in sorted(done.results.items()))
            print(f"{done.matrix.counts.probes} probes in {done.seconds:.2f} s: {told}; losses {done.matrix.losses}")
            print("  " + ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in done.matrix.counts.seconds))


if __name__ == "__main__":
    main()
