"""The fields of a packet that rules and routes can tell apart, each a level of a diagram (specs.semantics.diagram).

A field that a packet does not have (the ports of an ICMP message) holds anything: whoever asks for it asks for what
implies it as well. Addresses of both families share their levels, and FAMILY says which it is.
"""

from __future__ import annotations

from enum import IntEnum

from specs.semantics.span import Span, span


class Field(IntEnum):
    """In the order of the levels: what tells most packets apart comes first."""

    IIF = 0  # the interface it came in by: its place among the namespace's, 0 for none
    OIF = 1
    FAMILY = 2
    PROTOCOL = 3  # of layer 4, as `meta l4proto` tells it
    DADDR = 4
    SADDR = 5
    DPORT = 6
    SPORT = 7
    ICMP_TYPE = 8
    ICMP_CODE = 9
    FLAGS = 10  # of TCP
    FRAGMENT = 11  # 1: a later fragment: the fields above are bytes of its own choice
    STATE = 12  # what conntrack says of it: its place in STATES
    DIRECTION = 13  # its place in DIRECTIONS
    DNAT = 14  # 1: the connection's destination was translated (IPS_DST_NAT)
    SNAT = 15  # 1: its source was (IPS_SRC_NAT)


FAMILIES = ("ip", "ip6")
STATES = ("new", "established", "related", "invalid", "untracked")
DIRECTIONS = ("original", "reply", "none")  # none: the packet belongs to no connection
TOPS: dict[Field, int] = {
    Field.IIF: 0xFFFF,
    Field.OIF: 0xFFFF,
    Field.FAMILY: len(FAMILIES) - 1,
    Field.PROTOCOL: 255,
    Field.DADDR: 2**128 - 1,
    Field.SADDR: 2**128 - 1,
    Field.DPORT: 0xFFFF,
    Field.SPORT: 0xFFFF,
    Field.ICMP_TYPE: 255,
    Field.ICMP_CODE: 255,
    Field.FLAGS: 255,
    Field.FRAGMENT: 1,
    Field.STATE: len(STATES) - 1,
    Field.DIRECTION: len(DIRECTIONS) - 1,
    Field.DNAT: 1,
    Field.SNAT: 1,
}
NO_INTERFACE = 0
IPV4, IPV6 = span(0), span(1)
ANY_IPV4: Span = ((0, 2**32 - 1),)
ANY_IPV6: Span = ((0, 2**128 - 1),)
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
WITH_PORTS = span(6, 17, 33, 132, 136)  # tcp, udp, dccp, sctp, udplite
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED = range(len(STATES))
ORIGINAL, REPLY, NONE = range(len(DIRECTIONS))
TRACKING = (Field.STATE, Field.DIRECTION, Field.DNAT, Field.SNAT)  # what a namespace knows of a packet, and no wire
