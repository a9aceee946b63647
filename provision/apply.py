"""Plan -> the world: every op in its order, services waited for, and a new plan that must be empty (law 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import groupby

from provision.context import Context
from provision.errors import ApplyError, PlutoError
from provision.op import Op, Phase
from provision.ops.container import BeginContainer

WORKERS = {Phase.IMAGE: 2, Phase.CONTAINER: 4}  # what runs side by side; everything else one after another
Told = Callable[[Op], None]


def execute(ops: Sequence[Op], context: Context, *, begun: Told, done: Told) -> None:
    """Do `ops`, phase by phase. Raises ApplyError naming the op that failed; those before it stand."""
    for phase, group in groupby(ops, key=lambda op: op.key.phase):
        members = tuple(group)
        workers = WORKERS.get(phase, 1)
        if workers == 1 or len(members) == 1:
            for op in members:
                begun(op)
                _do(op, context)
                done(op)
        else:
            _side_by_side(members, context, workers, begun, done)


def _do(op: Op, context: Context) -> None:
    try:
        op.execute(context)
    except (PlutoError, OSError) as error:
        raise ApplyError(f"{op.describe()}: {error}") from error


def _side_by_side(ops: Sequence[Op], context: Context, workers: int, begun: Told, done: Told) -> None:
    """Start each op once all it depends on are done; stop starting when one fails."""
    left = sorted(ops, key=_is_patient)  # a container whose answer is waited for begins first
    running: dict[Future[None], Op] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        while left or running:
            unfinished = {op.subject for op in (*left, *running.values())}
            for op in [op for op in left if not set(_depends_on(op)) & (unfinished - {op.subject})]:
                left.remove(op)
                begun(op)
                running[pool.submit(_do, op, context)] = op
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                op = running.pop(future)
                future.result()
                done(op)


def _is_patient(op: Op) -> bool:
    return isinstance(op, BeginContainer) and not op.awaited


def _depends_on(op: Op) -> tuple[str, ...]:
    return op.depends_on if isinstance(op, BeginContainer) else ()
