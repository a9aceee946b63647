"""Make, start and remove containers; the names are the owner's, podman's are naming.container's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from provision.errors import ApplyError
from provision.facts.container import DEAD, at_rest, read
from provision.op import Action, Op, Phase
from provision.render.container import STOP_SECONDS
from provision.wait import wait, within

if TYPE_CHECKING:
    from provision.context import Context
    from provision.podman import Podman

REMOVALS = 4  # attempts at one removal
REST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class BeginContainer(Op):
    """What lets a declared container run."""

    phase: ClassVar[Phase] = Phase.CONTAINER
    noun: ClassVar[str] = "container"

    name: str
    podman_name: str
    document: str = field(repr=False)  # render.container.specification, as JSON
    depends_on: tuple[str, ...] = ()  # containers that are to run before it
    awaited: bool = False  # whether its answer is waited for in the end

    @property
    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class RunContainer(BeginContainer):
    """Create and start; what bears the name already (another spec, dead, half made) is replaced."""

    because: str = ""  # why it is made anew; empty when there was none

    def describe(self) -> str:
        return f"container {self.name}" + (f", made anew: {self.because}" if self.because else "")

    def execute(self, context: Context) -> None:
        do = replace if self.because else make  # to ask for the removal of nothing takes podman 50 ms
        do(context.podman, self.podman_name, self.document)


@dataclass(frozen=True, kw_only=True)
class StartContainer(BeginContainer):
    """Start one that is there and right, but does not run, as after a boot; replaced where podman cannot start it.

    A DEAD one is always replaced: podman takes it for running.
    """

    action: ClassVar[Action] = Action.CHANGE

    state: str  # facts.container's word

    def describe(self) -> str:
        return f"container {self.name} is {self.state}: start it"

    def execute(self, context: Context) -> None:
        if self.state == DEAD:
            replace(context.podman, self.podman_name, self.document)
            return
        try:
            start(context.podman, self.podman_name)
        except ApplyError:
            replace(context.podman, self.podman_name, self.document)


@dataclass(frozen=True, kw_only=True)
class RemoveContainer(Op):
    """Stop and remove a container that is not declared; its volumes are folders and stay."""

    phase: ClassVar[Phase] = Phase.DROP_CONTAINER
    noun: ClassVar[str] = "container"
    action: ClassVar[Action] = Action.REMOVE

    name: str
    podman_name: str

    @property
    def subject(self) -> str:
        return self.name

    def describe(self) -> str:
        return f"container {self.name}"

    def execute(self, context: Context) -> None:
        remove(context.podman, self.podman_name)


def make(podman: Podman, podman_name: str, document: str) -> None:
    """Create from `document` and start; where something bears the name after all, `replace` it."""
    try:
        podman.call("POST", "/containers/create", data=document)
    except ApplyError:
        replace(podman, podman_name, document)
    else:
        start(podman, podman_name)


def replace(podman: Podman, podman_name: str, document: str) -> None:
    """Remove what bears the name, create from `document`, start."""
    remove(podman, podman_name)
    podman.call("POST", "/containers/create", data=document)
    start(podman, podman_name)


def start(podman: Podman, podman_name: str) -> None:
    """Start it; one that runs already stays as it is (podman answers 304)."""
    podman.call("POST", f"/containers/{podman_name}/start")


def stop(podman: Podman, podman_name: str) -> bool:
    """Stop it (SIGTERM, then SIGKILL), so that podman's restart policy lets it be; whether it ran.

    One that ends again and again may be between two runs, where podman finds nothing to stop, and would be back in a
    moment: so it is looked at until nothing is left that could start it.
    """
    ran = False

    def rests() -> bool:
        nonlocal ran
        found = next((one for one in read(podman) if one.name == podman_name), None)
        if found is not None and found.running:
            podman.call("POST", f"/containers/{podman_name}/stop", timeout=str(STOP_SECONDS))
            ran = True
        return found is None or at_rest(found)

    wait(rests, deadline=within(REST_SECONDS), what=f"{podman_name} to be stopped")
    return ran


def remove(podman: Podman, podman_name: str) -> None:
    """Stop (SIGTERM, then SIGKILL after the container's own stop time) and remove; nothing when there is none.

    Asked again when podman fails: `podman container cleanup`, which conmon starts at a container's end, races
    podman 4.3.1's own removal for the shm mount ("device or resource busy", one in seven measured).
    """
    for attempt in range(1, REMOVALS + 1):
        try:
            podman.call("DELETE", f"/containers/{podman_name}", force="true", ignore="true", timeout=str(STOP_SECONDS))
        except ApplyError:
            if attempt == REMOVALS:
                raise
        else:
            return
