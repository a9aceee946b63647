"""Time the proof of a synthetic estate: `python -m tests.scale.bench_proof [LEAVES]` tells seconds and memory."""

from __future__ import annotations

import resource
import sys
import time

from specs.semantics.declared import Declared
from specs.semantics.prove import Outcome, every_pair, prove
from tests.scale.synthetic import compiled, synthetic, written

LEAVES = 1000


def main(leaves: int) -> int:
    estate = synthetic(leaves)
    told = written(estate)
    begun = time.perf_counter()
    world = compiled(estate, told)
    read = time.perf_counter()
    proof = prove(world, Declared(estate=estate, space=world.space), every_pair(estate))
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    arrived = sum(each.outcome is Outcome.PROVED for each in proof.flows)
    print(f"{leaves} leaves: read and compiled in {read - begun:.1f} s, proved in {done - read:.1f} s, {peak:.0f} MB")
    print(f"{proof.pairs} pairs, {len(proof.findings)} not proved; {arrived} of {len(proof.flows)} flows' ways arrive")
    return 0 if proof.holds else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEAVES))
