"""Whitelists: how their sets are called, who of the lab is on them, and where their keeper records whom names mean.

The record is the keeper's own, in the volume that a container mounts for writing at RECORD_AT:

    {"names": {"steward.example": {"addresses": ["203.0.113.3"],   the last good ones
                                   "before": [], "since": 1753,    those before them, and when they changed
                                   "asked": 1790, "good": 1790,    when it was last asked, and last answered
                                   "failed": null}}}               why the last answer was none

Times are seconds since the epoch. After a change the sets follow within SETTLES seconds.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path, PurePosixPath

from specs.instance import Instance
from specs.model import Container, Estate, SourceKind

RECORD_AT, RECORD = PurePosixPath("/var/lib/whitelists"), "record.json"
SETTLES = 10.0
SIZE = 1024  # addresses on one list at most


def set_name(whitelist: str) -> str:
    """Of the set in the rulesets: no word of nft's own."""
    return f"whitelist-{whitelist}"


def record(estate: Estate, instance: Instance) -> Path | None:
    """Where the record lies on the machine; None where nobody keeps one."""
    volumes = [volume for each in estate.containers if (volume := recorded_by(each)) is not None]
    return instance.home / "volumes" / volumes[0] / RECORD if volumes else None


def recorded_by(container: Container) -> str | None:
    """The volume into which a container writes the record."""
    found = (m.origin for m in container.mounts if m.kind is SourceKind.VOLUME and m.at == RECORD_AT and m.writable)
    return next(found, None)


def expected(estate: Estate, name: str) -> frozenset[IPv4Address]:
    """Who is on the whitelist `name` as far as the specs tell: the declared, and whom the lab's resolver names."""
    listed = estate.whitelist(name)
    known = {name: address for node in estate.world.nodes for name, address in node.records}
    return frozenset((*listed.addresses, *(known[each] for each in listed.names if each in known)))
