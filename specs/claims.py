"""The flows phase: every flow has a way, and what a container says it serves is reached by a flow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from specs.model import HOST, Container, Estate, Flow, HealthKind, Port, Protocol, Renderer, Source
from specs.problems import Problem, SpecError
from specs.way import NoWay, way
from specs.wiring import Disabled

HTTPS = Port(protocol=Protocol.TCP, number=443)


def settle(estate: Estate, disabled: Iterable[Disabled] = ()) -> None:
    """Raises SpecError with every flow without a way and every service without a flow; `disabled` are links."""
    problems = [
        *_without_a_way(estate),
        *_forwarded_twice(estate),
        *_unreached(estate, tuple(disabled)),
        *_unpublished(estate),
        *_handshakes(estate),
        *_same_place(estate),
        *_kept_by_nobody(estate),
        *_whitelists(estate),
        *_loopback(estate),
    ]
    if problems:
        raise SpecError(problems)


def _without_a_way(estate: Estate) -> Iterator[Problem]:
    for flow in estate.flows:
        try:
            way(estate, flow)
        except NoWay as error:
            yield Problem(source=flow.source, text=f"flow {flow} has no way: {error}", hint="add the link it needs")


def _forwarded_twice(estate: Estate) -> Iterator[Problem]:
    """The host hands each port of its uplink to one edge (law 4, DNAT)."""
    seen: dict[Port, Flow] = {}
    for flow in filter(estate.from_internet, estate.flows):
        first = seen.setdefault(flow.port, flow)
        if first is not flow:
            text = f"flow {flow} wants the port that the host hands to `{first.target}`"
            yield Problem(source=flow.source, text=text, hint=f"it stands at {first.source} already")


def _unreached(estate: Estate, disabled: Collection[Disabled]) -> Iterator[Problem]:
    """Law 12: a check adds no hole, so what is checked or published needs a declared flow."""
    for container in estate.containers:
        owner = container.shares or container.name
        flows = [flow for flow in estate.flows if flow.target == owner]
        from_edge = {flow.port for flow in flows if flow.source_node == estate.site.edge}
        for what, port, reached in _claims(container, {flow.port for flow in flows}, from_edge):
            if port not in reached:
                text = f"{what} of `{container.name}` is on {port}, which no flow reaches"
                off = next((link for link in disabled if owner in link.nodes), None)
                hint = f"allow it on a link of `{owner}`, such as a -> b {port}"
                if off is not None:
                    hint = f"its link `{off.name}` is disabled at {off.source}: enable it there, or disable `{owner}`"
                yield Problem(source=container.source, text=text, hint=hint)


def _claims(container: Container, flows: set[Port], from_edge: set[Port]) -> Iterator[tuple[str, Port, set[Port]]]:
    if container.web is not None:
        yield "web", Port(protocol=Protocol.TCP, number=container.web.port), from_edge
    if container.stream is not None:
        yield "stream", Port(protocol=Protocol.TCP, number=container.stream), from_edge
    if container.health is not None and container.health.kind is not HealthKind.HANDSHAKE and container.health.port:
        yield "health", container.health.port, flows


def _unpublished(estate: Estate) -> Iterator[Problem]:
    """What the edges offer the outside wants a flow from the WAN."""
    reached = {(flow.target, flow.port) for flow in estate.flows if estate.from_internet(flow)}
    for what, node, port, source in _offers(estate):
        if (node, port) not in reached:
            text = f"{what} is offered on {port} of `{node}`, which no flow from the WAN reaches"
            yield Problem(source=source, text=text, hint=f"allow it on the link from host to {node}: wan -> b {port}")


def _offers(estate: Estate) -> Iterator[tuple[str, str, Port, Source]]:
    hub, edge = estate.tunnel.hub, estate.site.edge
    if estate.tunnel.peers:
        port = Port(protocol=Protocol.UDP, number=estate.tunnel.port)
        yield "the tunnel", hub, port, estate.container(hub).source
    for container in estate.containers:
        if container.web is not None:
            yield f"web of `{container.name}`", edge, HTTPS, container.source
        if container.stream is not None:
            port = Port(protocol=Protocol.TCP, number=container.stream)
            yield f"stream of `{container.name}`", edge, port, container.source


def _kept_by_nobody(estate: Estate) -> Iterator[Problem]:
    """A limit that no container keeps would be a promise."""
    edge = estate.site.edge
    source = estate.container(edge).source
    counted = any(c.shares == edge and c.loopback is not None for c in estate.containers)
    if estate.site.requests is not None and not counted:
        text, hint = "the site limits requests, and nobody counts them", f"add a sidecar: shares: {edge}, and loopback:"
        yield Problem(source=source, text=text, hint=hint)
    if estate.site.bans is not None and not any(c.shares == HOST for c in estate.containers):
        text, hint = "the site bans addresses, and nobody writes the bans", "add a container with shares: host"
        yield Problem(source=source, text=text, hint=hint)


def _whitelists(estate: Estate) -> Iterator[Problem]:
    """A whitelist is of the internet, opens something, and its names are resolved wherever it stands."""
    for listed in estate.whitelists:
        nodes = {hop.node for flow in estate.flows if flow.source_node == listed.name for hop in way(estate, flow).hops}
        if not nodes:
            text = f"whitelist `{listed.name}` opens nothing"
            yield Problem(source=listed.source, text=text, hint="name it as a flow's source, or drop it")
        for address in listed.addresses:
            if any(address in network for network in estate.inside):
                text = f"{address} of whitelist `{listed.name}` is inside, not of the internet"
                yield Problem(source=listed.source, text=text, hint="a whitelist says who of the internet may come")
        if listed.names and estate.host.resolver is None:
            text = f"whitelist `{listed.name}` has names, and the host has no resolver"
            yield Problem(source=listed.source, text=text, hint="write resolver: and its address under host:")
        for node in sorted(nodes) if listed.names else ():
            if not any(each.shares == node and _keeps(estate, each) for each in estate.containers):
                text = f"whitelist `{listed.name}` has names, and nobody keeps its set in the namespace of `{node}`"
                hint = f"add a container with shares: {node}, whose image renders whitelists"
                yield Problem(source=listed.source, text=text, hint=hint)
    if estate.host.resolver is not None and not any(listed.names for listed in estate.whitelists):
        source = next(flow.source for flow in estate.flows if flow.link == estate.host.uplink)
        text = "the host has a resolver, and no whitelist has a name to ask it for"
        yield Problem(source=source, text=text, hint="drop resolver:")


def _keeps(estate: Estate, container: Container) -> bool:
    image = estate.image(container.image)
    return image.pending is not None or any(each.renderer is Renderer.WHITELISTS for each in image.rendered)


def _loopback(estate: Estate) -> Iterator[Problem]:
    """Two of one namespace on one loopback port."""
    seen: dict[tuple[str, int], str] = {}
    for container in estate.containers:
        if container.loopback is not None:
            place = (container.shares or container.name, container.loopback)
            if place in seen:
                text = f"`{container.name}` and `{seen[place]}` both want port {place[1]} of the loopback they share"
                yield Problem(source=container.source, text=text, hint="give one of them another port")
            seen.setdefault(place, container.name)


def _handshakes(estate: Estate) -> Iterator[Problem]:
    for container in estate.containers:
        asked = container.health is not None and container.health.kind is HealthKind.HANDSHAKE
        if asked and (container.name != estate.tunnel.hub or not estate.tunnel.peers):
            text = f"health of `{container.name}` is a handshake, which only the tunnel's hub has, with a peer"
            hint = "write {connect: 22} or {get: /, port: 8080}"
            yield Problem(source=container.source, text=text, hint=hint)


def _same_place(estate: Estate) -> Iterator[Problem]:
    """Two sites at one path, or two streams at one port."""
    seen: dict[str, str] = {}
    for container in estate.containers:
        places = [container.web.path] if container.web else []
        places += [f"tcp/{container.stream}"] if container.stream else []
        for place in places:
            if place in seen:
                text = f"`{container.name}` and `{seen[place]}` are both served at {place}"
                yield Problem(source=container.source, text=text, hint="give one of them another place")
            seen.setdefault(place, container.name)
