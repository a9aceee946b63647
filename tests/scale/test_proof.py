"""The proof of a thousand leaves stays within its bounds."""

import resource
import time

from specs.semantics.declared import Declared
from specs.semantics.prove import every_pair, prove
from tests.scale.synthetic import compiled, synthetic, written

SECONDS, MEGABYTES = 25.0, 500


def test_a_thousand_leaves_are_proved_in_time() -> None:
    estate = synthetic(1000)
    told = written(estate)
    begun = time.process_time()
    world = compiled(estate, told)
    proof = prove(world, Declared(estate=estate, space=world.space), every_pair(estate))
    assert time.process_time() - begun < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 < MEGABYTES
    assert proof.holds
    assert len(proof.flows) > 2 * 1000
