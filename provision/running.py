"""Read the running kernel for its meaning: every namespace of an instance, once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from provision.desired import DesiredNetwork
from provision.facts import listing, netns, netnsid, network, route, sysctl
from provision.facts.compiled import listed
from provision.facts.network import ActualNetwork
from provision.kernel import inside
from provision.netlink import Socket
from provision.places import Depth, Running
from specs import sysctls
from specs.instance import Instance

Handles = Mapping[str, int]


def read(desired: DesiredNetwork, instance: Instance, cache: Path) -> Running:
    """Every declared namespace there is. HostError, CommandError, OSError."""
    there = {node for node, mounted in netns.read(instance.name) if mounted}
    wanted = {each.node.name: each.sysctls for each in desired.nodes if each.node.name in there}
    found = {node: network.read(netns.path(instance.name, node), keys) for node, keys in wanted.items()}
    return deepened(desired, instance, cache, found)


def deepened(desired: DesiredNetwork, instance: Instance, cache: Path, found: Mapping[str, ActualNetwork]) -> Running:
    """The same of networks that were read already.

    A namespace that holds what is declared, to the byte, is listed as that was when it was compiled, unless it has sets
    that fill by themselves.
    """
    paths = {node: netns.path(instance.name, node) for node in found}
    depths = {}
    with _opened(paths) as handles:
        for node, there in found.items():
            wanted = desired.node(node)
            known = listed(wanted.template, cache) if there.ruleset.digest == wanted.ruleset.digest else None
            same = known if known is not None and not known.fills else None
            depths[node] = inside(paths[node], partial(_depth, there, same, handles))
    return Running(networks=found, depths=depths)


@contextmanager
def _opened(paths: Mapping[str, Path]) -> Iterator[Handles]:
    handles = {node: os.open(path, os.O_RDONLY | os.O_CLOEXEC) for node, path in paths.items()}
    try:
        yield handles
    finally:
        for handle in handles.values():
            os.close(handle)


def _depth(there: ActualNetwork, known: listing.Listing | None, handles: Handles) -> Depth:
    """Of the calling thread's namespace."""
    kernel = Socket()
    try:
        return Depth(
            listing=known if known is not None else listing.read({link.ifname: link.index for link in there.links}),
            routes=route.every(kernel, {link.index: link.ifname for link in there.links}),
            sysctls=dict((*there.sysctls, *_undeclared(there))),
            numbers=netnsid.read(kernel, handles),
        )
    finally:
        kernel.close()


def _undeclared(there: ActualNetwork) -> tuple[tuple[str, str], ...]:
    """The settings of interfaces that nobody declared: rp_filter, forwarding and the like count there too."""
    known = {sysctls.interface_of(key) for key, _ in there.sysctls}
    strange = [link.ifname for link in there.links if link.ifname not in known]
    return sysctl.read(key for ifname in strange for key in sysctls.conf(ifname, sysctls.DECISIVE))
