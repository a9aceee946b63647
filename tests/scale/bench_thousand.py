"""A thousand leaves and 160,000 sampled probes, timed: `python -m tests.scale.bench_thousand`. Laying takes minutes.

hub0, hub1 ── 500 leaves each; a leaf takes tcp/8080 and nothing else, a hub passes nothing on
"""

from __future__ import annotations

import random
import resource
import time

from fixtures.probe.matrix import Result
from fixtures.probe.orders import Volley
from fixtures.probe.run import probe
from tests.scale.bench_probe import ACCEPT_8080
from tests.scale.rig import CLOSED, Rig

LEAVES = 1000
SAMPLED = 5  # destinations of each leaf, its hub among them
PORTS = (8080, *range(1, 32))
SEED = 1


def lay(rig: Rig, leaves: int) -> None:
    for leaf in range(leaves):
        rig.wire(f"hub{leaf % 2}", f"leaf{leaf}", leaf)
        rig.rules(f"leaf{leaf}", ACCEPT_8080)
    for hub in ("hub0", "hub1"):
        rig.rules(hub, CLOSED)


def sampled(rig: Rig, chance: random.Random) -> tuple[Volley, ...]:
    leaves = [sender for sender in rig.senders() if sender.node.startswith("leaf")]
    addresses = [sender.address for sender in leaves]
    return tuple(
        Volley(sender=sender.name, destination=destination, kind="tcp-syn", ports=PORTS)
        for sender in leaves
        for destination in (
            rig.address(sender.far[0].node, towards=sender.node),
            *chance.sample(addresses, SAMPLED - 1),
        )
    )


def main(leaves: int = LEAVES) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Rig() as rig:
        began = time.monotonic()
        lay(rig, leaves)
        print(f"{leaves} leaves laid in {time.monotonic() - began:.0f} s")
        volleys = sampled(rig, random.Random(SEED))
        began = time.monotonic()
        matrix = probe(rig.senders(), rig.targets(), volleys)
        seconds = time.monotonic() - began
    left = sum(cell.left for cell in matrix.cells)
    unproven = sum(len(f.ports) for cell in matrix.cells for f in cell.findings if f.result is Result.UNPROVEN)
    lost = [loss for loss in matrix.losses if not loss.repaired]
    print(f"{matrix.counts.probes} probes, {left} seen to leave, {unproven} unproven, losses {lost}, {seconds:.1f} s")
    print("  " + ", ".join(f"{stage} {took:.2f}" for stage, took in matrix.counts.seconds))


if __name__ == "__main__":
    main()
