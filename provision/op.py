"""What an op is: one change to the world, which can say itself and do itself.

Every op is a frozen value. Its key orders it among all others (phase, noun, subject), so that a plan is
totally ordered whatever the order of the YAML; `execute` is idempotent where the kernel allows it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from provision.context import Context


class Phase(IntEnum):
    """The order of things (law 3): what is not declared goes first, a container comes last."""

    DROP_PROCESS = -1
    DROP_CONTAINER = 0
    DROP_RULE = 1
    DROP_ROUTE = 2
    DROP_ADDRESS = 3
    DROP_LINK = 4
    DROP_NETNS = 5
    DROP_OWNED = 6
    FOLDER = 10
    IMAGE = 11
    OWNED = 12
    NETNS = 20
    SYSCTL = 21
    RULESET = 22
    LINK = 23
    TUNNEL = 24
    ADDRESS = 25
    ROUTE = 26
    RULE = 27
    FILE = 30
    SECRET = 31
    CONTAINER = 40


class Action(StrEnum):
    MAKE = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True, kw_only=True, order=True)
class Key:
    phase: Phase
    noun: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Op(ABC):
    """One change. Subclasses are frozen dataclasses named by what they do: MakeLink, RemoveRoute."""

    phase: ClassVar[Phase]
    noun: ClassVar[str]
    action: ClassVar[Action] = Action.MAKE

    @property
    @abstractmethod
    def subject(self) -> str:
        """What it is done to, as an owner would name it: `pub-git-web`, `git-web: 172.16.4.1/31`."""

    @abstractmethod
    def describe(self) -> str:
        """One line in words, without the action's sign: `link pub-git-web, reverse-proxy-edge to git-web`."""

    @abstractmethod
    def execute(self, context: Context) -> None:
        """Do it. Raises provision.errors.ApplyError, which says what, where and what to do."""

    @property
    def key(self) -> Key:
        return Key(phase=self.phase, noun=self.noun, subject=self.subject)
