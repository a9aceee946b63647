"""Prove a synthetic estate: two hubs and N leaves, each leaf on one hub, a third of them with a peer link.

    python -m tests.scale.bench_proof [LEAVES]

Nothing is made in the kernel: the listings are written as nft lists them, so that reading, compiling and proving are
what is timed. Prints seconds and the peak of memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

from specs.semantics.place import Interface, Place, Route
from specs.semantics.prove import Outcome
from tests.scale.synthetic import judged, synthetic

LEAVES = 1000


def main(leaves: int) -> None:
    begun = time.perf_counter()
    estate = synthetic(leaves)
    made = time.perf_counter()
    proof, compiled = judged(estate)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counted = {outcome: 0 for outcome in Outcome}
    for finding in proof.findings:
        counted[finding.outcome] += 1
    print(f"{leaves} leaves, {proof.pairs} ordered pairs, {len(proof.flows)} flows: written in {made - begun:.1f} s,")
    print(f"read and compiled in {compiled - made:.1f} s, proved in {done - compiled:.1f} s, {peak:.0f} MB at most")
    print(f"{proof.pairs - len(proof.findings)} proved, {counted}, flows that arrive: {sum(f.outcome is Outcome.PROVED for f in proof.flows)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LEAVES)
