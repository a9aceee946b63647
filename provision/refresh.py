"""Images made anew where the distribution has newer packages, and put back: container by container (decision 018).

    outdated -> Renewal a group -> build all -> for each group: record, one container after another, each must answer
                                                   └─ one does not: the record and all its containers as before
The record (image.epoch) is written before the first container is replaced, and says what the plan then wants: so a kill
at any moment leaves what the next apply finishes, in the one direction or the other. Namespaces, wires and rulesets are
not touched: a swap is a container's alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from provision import plan as planning
from provision.context import Context
from provision.errors import ApplyError, PlutoError
from provision.facts import container
from provision.health import checks
from provision.image import epoch
from provision.image.epoch import Record
from provision.image.outdated import Newer, whole, with_bases
from provision.image.recipe import Family, Recipe, recipes
from provision.op import Op
from provision.ops.container import RunContainer
from provision.plan import Plan
from provision.ready import await_ready
from provision.say import Voice
from provision.survey import survey
from provision.wait import wait, within
from specs import naming
from specs.model import Estate, HealthKind

SETTLED_SECONDS = 2.0  # a container without a health has answered when it has run for so long

LogTail = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """One group's refresh: the epochs its images are to stand at, and the old packages for which."""

    group: str
    epochs: Mapping[str, str]
    newer: tuple[Newer, ...]


def renewals(
    estate: Estate, known: Iterable[Recipe], found: Mapping[str, tuple[Newer, ...]], names: Sequence[str]
) -> tuple[Renewal, ...]:
    """What is to be refreshed of the images in `known`, or of those in `names` and all that share a base with them.

    `found` are each image's own old packages (image.outdated.asked).
    """
    wanted = {epoch.group(estate, name) for name in names}
    made: dict[str, dict[str, str]] = {}
    for recipe in with_bases(known):
        group = epoch.group(estate, recipe.name)
        newer = found.get(recipe.name, ())
        if newer and (not names or group in wanted):
            made.setdefault(group, {})[recipe.name] = epoch.name((one.package, one.newest) for one in newer)
    return tuple(
        Renewal(group=group, epochs=epochs, newer=tuple(sorted({one for name in epochs for one in found[name]})))
        for group, epochs in sorted(made.items())
    )


def of_group(estate: Estate, family: Family, record: Record, group: str) -> tuple[Recipe, ...]:
    """The recipes, as they stand in `record`, of the images that containers run and that belong to `group`."""
    return tuple(r for r in recipes(estate, family, record.epochs) if epoch.group(estate, r.name) == group)


def still_old(made: Iterable[Recipe], found: Mapping[str, tuple[Newer, ...]]) -> str:
    """The first image that is old although it was made anew, in words; "" where none is."""
    return next((f"{r.name}: {whole(r, found)[0]}" for r in made if whole(r, found)), "")


@dataclass(frozen=True, kw_only=True)
class Swap:
    """How containers are replaced, and how many seconds each may take to answer."""

    context: Context
    seconds: float
    log_tail: LogTail
    voice: Voice

    def swap(self, old: Record, new: Record) -> tuple[str, ...]:
        """From `old`, which is in force, to `new`: container by container; return their names.

        Raises ApplyError that names the one that did not answer, with the end of its log; then all is as before.
        """
        epoch.write(new, self.context.instance.epochs)
        ops = self._plan().ops
        failed: PlutoError | OSError | None = None
        for op in ops:
            try:
                self._replace(op)
            except (PlutoError, OSError) as error:  # OSError: podman's service is gone
                failed = error
                break
        if failed is None:
            self._nothing_left()
            return tuple(op.subject for op in ops)
        back = self._put_back(old)
        raise ApplyError(f"{op.subject} does not answer from its new image, so {back}\n\n{failed}") from failed

    def _put_back(self, old: Record) -> str:
        epoch.write(old, self.context.instance.epochs)
        ops = self._plan().ops
        try:
            for op in ops:
                self._replace(op)
        except (PlutoError, OSError) as error:
            return f"the old one was put back, and does not answer either: {error}"
        return f"the old one is back: {', '.join(op.subject for op in ops)}"

    def _replace(self, op: Op) -> None:
        begun = time.time()
        op.execute(self.context)
        if isinstance(op, RunContainer):
            self._await(op.name, begun)
        self.voice.line(f"  {self.voice.sign(op.action)} {op.describe()}: it answers")

    def _await(self, name: str, begun: float) -> None:
        asked = tuple(
            replace(one, since=begun) if one.health.kind is HealthKind.HANDSHAKE else one
            for one in checks(self.context, {name})
        )
        await_ready(asked, deadline=within(self.seconds), log_tail=self.log_tail)
        if not asked:
            try:
                wait(lambda: self._settled(name), deadline=within(self.seconds), what=f"{name} to stay up")
            except ApplyError as error:
                raise ApplyError(f"{error}; the end of its log:\n{self.log_tail(name)}") from error

    def _settled(self, name: str) -> bool:
        wanted = naming.container(self.context.instance.name, name)
        found = next((one for one in container.read(self.context.podman) if one.name == wanted), None)
        if found is None or not found.running or found.started is None:
            return False
        return time.time() - found.started.timestamp() >= SETTLED_SECONDS

    def _nothing_left(self) -> None:
        left = self._plan().ops
        if left:
            rest = "\n".join(f"  {op.action} {op.describe()}" for op in left)
            raise ApplyError(f"replaced, and yet the plan is not empty: something undoes it\n{rest}")

    def _plan(self) -> Plan:
        context = self.context
        return planning.plan(survey(context.estate, context.instance, context.podman))
