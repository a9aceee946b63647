"""Survey -> Plan: every op that is needed, totally ordered, and what it restarts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provision import diff_network, diff_workload
from provision.op import Action, Op
from provision.ops.container import RunContainer
from provision.ops.netns import MakeNetns
from provision.survey import Survey


@dataclass(frozen=True, kw_only=True)
class Plan:
    ops: tuple[Op, ...]
    restarts: tuple[str, ...]  # running containers that are made anew
    waiting: tuple[tuple[str, str], ...]  # containers that do not run yet, and why
    gained: tuple[str, ...] = ()  # who newly reaches whom, by packet sets: provision.staged finds it out
    lost: tuple[str, ...] = ()

    @property
    def removes(self) -> bool:
        """Whether it takes something away that somebody may miss."""
        return any(op.action is Action.REMOVE for op in self.ops)


def plan(survey: Survey) -> Plan:
    """What must be done for the machine to hold what is declared; nothing is read or written for it."""
    network = list(diff_network.diff(survey.network, survey.networks))
    remade = frozenset(op.node for op in network if isinstance(op, MakeNetns))
    containers = list(diff_workload.containers(survey.workload, survey.containers, remade))
    making = diff_workload.making(containers)
    needs = diff_workload.needs(survey.workload, survey.containers, survey.images, making)
    running = {c.node for c in survey.containers.containers if c.running}
    return Plan(
        ops=ordered((*network, *containers, *needs)),
        restarts=tuple(sorted(op.name for op in containers if isinstance(op, RunContainer) and op.name in running)),
        waiting=survey.workload.waiting,
    )


def ordered(ops: Iterable[Op]) -> tuple[Op, ...]:
    """By phase, noun and subject: the same for every order of the YAML."""
    return tuple(sorted(ops, key=lambda op: op.key))
