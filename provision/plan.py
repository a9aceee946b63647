"""Survey -> Plan: every op that is needed, totally ordered, and what it means for who can reach whom."""

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
    gained: tuple[str, ...]  # flows that the live rulesets do not carry yet
    lost: tuple[str, ...]  # flows that they carry and that are declared no more
    waiting: tuple[tuple[str, str], ...]  # containers that do not run yet, and why

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
    gained, lost = _reach(survey)
    running = {c.node for c in survey.containers.containers if c.running}
    return Plan(
        ops=ordered((*network, *containers, *needs)),
        restarts=tuple(sorted(op.name for op in containers if isinstance(op, RunContainer) and op.name in running)),
        gained=gained,
        lost=lost,
        waiting=survey.workload.waiting,
    )


def ordered(ops: Iterable[Op]) -> tuple[Op, ...]:
    """By phase, noun and subject: the same for every order of the YAML."""
    return tuple(sorted(ops, key=lambda op: op.key))


def _reach(survey: Survey) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Declared flows that some namespace on their way does not carry, and carried ones that nobody declares.

    What a live rule carries is read from its comment: this is for the reader of a plan. Whether the kernel lets
    through exactly what is declared is the judges' to prove.
    """
    gained: set[str] = set()
    lost: set[str] = set()
    for wanted in survey.network.nodes:
        there = survey.networks.networks.get(wanted.node.name)
        live = there.ruleset.flows if there is not None else frozenset[str]()
        gained |= wanted.flows - live
        lost |= live - wanted.flows
    return tuple(sorted(gained)), tuple(sorted(lost))
