"""Read everything there is and everything there must be, once; all that a plan needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from provision import desired
from provision.desired import DesiredNetwork
from provision.diff_network import ActualNetworks
from provision.diff_workload import Images
from provision.errors import UsageError
from provision.facts import actual, compiled, container, image, owned, secret, wireguard
from provision.facts.actual import ActualWorkload
from provision.facts.container import Listing
from provision.podman import Podman
from provision.render.container import Kernel
from provision.workload import Workload, workload
from specs import sysctls, whitelist
from specs.instance import Instance
from specs.model import Estate
from specs.topology import nodes


@dataclass(frozen=True, kw_only=True)
class Survey:
    network: DesiredNetwork  # of one module alone, where that is asked for
    declared: DesiredNetwork  # whole
    workload: Workload
    networks: ActualNetworks
    containers: ActualWorkload
    images: Images


def survey(
    estate: Estate, instance: Instance, podman: Podman, module: str | None = None, listed: Listing | None = None
) -> Survey:
    """Survey one instance; with `module`, that module's nodes, links and containers alone.

    `listed` is a listing of its containers that was begun before, for this survey alone.
    """
    listing = listed or container.begin(podman)  # a process: the kernel is read meanwhile
    load = workload(estate, instance, Kernel(wireguard=wireguard.in_kernel()))
    networks = actual.read_networks(instance, {node.name: sysctls.every(node) for node in nodes(estate)})
    # The whitelists' record after the sets: its keeper writes first whom a name means, and then lets him in. The other
    # way round, somebody who was let in meanwhile would be on no list, and apply would take him out again.
    wanted = desired.network(estate, compiled.memories(instance), whitelist.record(estate, instance))
    network = replace(wanted, configs=load.tunnels)
    found = listing.result()
    misplaced = actual.misplaced(found, {order.name: order.netns for order in load.orders})
    whole = Survey(
        network=network,
        declared=network,
        workload=load,
        networks=networks,
        containers=ActualWorkload(
            containers=found, misplaced=misplaced, secrets=secret.read(instance), owned=owned.mounted(instance)
        ),
        images=Images(archives=image.archives(instance.images), imported=image.imported(instance.store)),
    )
    return whole if module is None else _only(estate, whole, module)


def _only(estate: Estate, whole: Survey, module: str) -> Survey:
    """Leave out what is not the module's; what stands at the other end of its links must be there already."""
    names = {c.name for c in estate.containers if c.module == module}
    if not names:
        known = sorted({c.module for c in estate.containers})
        raise UsageError(f"module `{module}` has no containers; those that have: {', '.join(known)}")
    links = tuple(link for link in whole.network.links if names & {link.a.node, link.b.node})
    absent = {end.node for link in links for end in link.endpoints} - names - set(whole.networks.networks)
    if absent:
        raise UsageError(
            f"module `{module}` is linked to {', '.join(sorted(absent))}, not there yet: apply the whole estate first"
        )
    load = whole.workload
    orders = tuple(order for order in load.orders if order.container.name in names)
    running = {order.name for order in orders}
    containers = whole.containers
    return Survey(
        network=replace(
            whole.network, nodes=tuple(n for n in whole.network.nodes if n.node.name in names), links=links
        ),
        declared=whole.declared,
        workload=replace(
            load,
            orders=orders,
            waiting=tuple(row for row in load.waiting if row[0] in names),
        ),
        networks=replace(
            whole.networks,
            entries=tuple(entry for entry in whole.networks.entries if entry[0] in names),
            processes=tuple(process for process in whole.networks.processes if process.node in names),
        ),
        containers=replace(containers, containers=tuple(c for c in containers.containers if c.name in running)),
        images=whole.images,
    )
