"""The flows phase: every flow has a way, and what a container says it serves is reached by a flow."""

from __future__ import annotations

from collections.abc import Iterator

from specs.model import Container, Estate, HealthKind, Port, Protocol
from specs.problems import Problem, SpecError
from specs.way import NoWay, way


def settle(estate: Estate) -> None:
    """Raises SpecError with every flow without a way and every service without a flow."""
    problems = [*_without_a_way(estate), *_unreached(estate), *_same_path(estate)]
    if problems:
        raise SpecError(problems)


def _without_a_way(estate: Estate) -> Iterator[Problem]:
    for flow in estate.flows:
        try:
            way(estate, flow)
        except NoWay as error:
            yield Problem(source=flow.source, text=f"flow {flow} has no way: {error}", hint="add the link it needs")


def _unreached(estate: Estate) -> Iterator[Problem]:
    """Law 12: a check adds no hole, so what is checked or published needs a declared flow."""
    for container in estate.containers:
        owner = container.shares or container.name
        flows = [flow for flow in estate.flows if flow.target == owner]
        from_edge = {flow.port for flow in flows if flow.source_node == estate.site.edge}
        for what, port, reached in _claims(container, {flow.port for flow in flows}, from_edge):
            if port not in reached:
                text = f"{what} of `{container.name}` is on {port}, which no flow reaches"
                hint = f"allow it on a link of `{owner}`, such as a -> b {port}"
                yield Problem(source=container.source, text=text, hint=hint)


def _claims(container: Container, flows: set[Port], from_edge: set[Port]) -> Iterator[tuple[str, Port, set[Port]]]:
    if container.web is not None:
        yield "web", Port(protocol=Protocol.TCP, number=container.web.port), from_edge
    if container.stream is not None:
        yield "stream", Port(protocol=Protocol.TCP, number=container.stream), from_edge
    if container.health is not None and container.health.kind is not HealthKind.HANDSHAKE and container.health.port:
        yield "health", container.health.port, flows


def _same_path(estate: Estate) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for container in estate.containers:
        if container.web is None:
            continue
        if container.web.path in seen:
            text = f"`{container.name}` and `{seen[container.web.path]}` are both served at {container.web.path}"
            yield Problem(source=container.source, text=text, hint="give one of them another web path")
        seen.setdefault(container.web.path, container.name)
