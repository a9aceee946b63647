"""A thousand leaves are proved, in bounded memory; how fast is `make bench`'s to say."""

import resource

from specs.semantics.declared import Declared
from specs.semantics.prove import every_pair, prove
from tests.scale.synthetic import compiled, synthetic, written

MEGABYTES = 500


def test_a_thousand_leaves_are_proved() -> None:
    estate = synthetic(1000)
    told = written(estate)
    world = compiled(estate, told)
    proof = prove(world, Declared(estate=estate, space=world.space), every_pair(estate))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 < MEGABYTES
    assert proof.holds
    assert len(proof.flows) > 2 * 1000
