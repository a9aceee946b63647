"""What the fuzzer grows: the same from the same seed, smaller by one thing at a time; and frames are what they say."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from fixtures.fuzz.frames import frame
from fixtures.fuzz.grow import ruleset
from fixtures.fuzz.packet import packets
from specs.semantics.span import intersect, span, subtract


def test_a_number_of_a_seed_is_always_the_same() -> None:
    def grown() -> tuple[object, object]:
        rng = Random("3:14")
        made = ruleset(rng)
        return made, packets(rng, made, 50)

    assert grown() == grown()
    assert ruleset(Random("3:15")) != grown()[0]


def test_what_is_smaller_lacks_one_thing() -> None:
    for number in range(20):
        made = ruleset(Random(f"9:{number}"))
        smaller = list(made.smaller())
        assert smaller
        assert made not in smaller
        assert all(len(less.text()) <= len(made.text()) for less in smaller)


def test_a_frame_carries_the_packet_and_right_checksums() -> None:
    rng = Random(4)
    drawn = next(one for one in packets(rng, ruleset(rng), 200) if one.family == 4 and one.proto == 6)
    read = Ether(frame(replace(drawn, offset=0, more=0)))
    assert (read[IP].id, read[IP].ttl, read[IP].src) == (drawn.tag, drawn.ttl, str(drawn.address(drawn.source)))
    assert (read[TCP].sport, read[TCP].dport, int(read[TCP].flags)) == (drawn.sport, drawn.dport, drawn.flags)
    sent = (read[IP].chksum, read[TCP].chksum)
    del read[IP].chksum, read[TCP].chksum
    again = Ether(bytes(read))
    assert sent == (again[IP].chksum, again[TCP].chksum)


def test_spans_are_sets() -> None:
    rng = Random(1)
    for _ in range(500):
        one, other = ({rng.randrange(40) for _ in range(rng.randrange(20))} for _ in range(2))
        assert intersect(span(*one), span(*other)) == span(*(one & other))
        assert subtract(span(*one), span(*other)) == span(*(one - other))
