"""The interface to the machine: commands that only read, orders that change something, and who carries them out."""

from dataclasses import dataclass
from typing import Protocol

from xenwatch.base.errors import InputError
from xenwatch.remediation.machine.privileges import Privileges
from xenwatch.remediation.policy.inventory import HERE

EFFECTS_FOLDER = "/var/lib/xenwatch-effects"
"""What effects leave behind. It is root's: in the agent's own folder a link could lead an effect anywhere."""
OUTPUT_FOLDER = f"{EFFECTS_FOLDER}/diagnostics"
"""Where the output of an order with `save_as` is kept."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program that only reads. `argv` is a list and never passes a shell on this host."""

    argv: tuple[str, ...]
    host: str = HERE
    deadline: float = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `code` None: no answer at all (could not start, timed out, host not reached)."""

    code: int | None
    out: str = ""
    err: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def summary(self) -> str:
        """One line for people."""
        status = "no answer" if self.code is None else f"exit {self.code}"
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return f"{status}: {lines[-1][:200]}" if lines else status


@dataclass(frozen=True, slots=True)
class Order:
    """One change. The effects helper is asked for it by its number, and finds out by itself what it is.

    `argv` is a program and its arguments, or, where `argv[0]` is `libvirt:<call>`, a call of libvirt_calls.CALLS.
    """

    argv: tuple[str, ...]
    host: str = HERE
    deadline: float = 60.0
    detached: bool = False
    """Started outside the agent's control group and without its limits: what it starts outlives the agent."""
    privileges: Privileges | None = None
    """What it needs and the agent's own unit does not grant; None: nothing."""
    save_as: str = ""
    """File below the state folder that takes the program's output; empty: the output is only an answer."""
    run: str = ""
    action: str = ""
    number: int = 0
    """Which order of its run it is, from 0."""
    target: str = ""
    token: int = 0
    """Fencing token; the receiver refuses one lower than the highest it has seen for the target."""
    lease: int = 0
    """The token of the fleet's lease, which the host where the order arrives checks; 0: there is no such lease."""
    carrier: int = 0
    """Where in `argv` the ssh command stands with which the program itself reaches another host; 0: it has none."""

    @property
    def description(self) -> str:
        """For the plan and its hash: host and arguments, nothing that differs from run to run."""
        place = f"[{self.host}] " if self.host else ""
        return place + " ".join(self.argv) + (f" > {self.save_as}" if self.save_as else "")


class Machine(Protocol):
    """The host (and, over ssh, its neighbours). No call raises: a failure is an Answer that says so."""

    @property
    def libvirt_uri(self) -> str:
        """The libvirt of this host that the configuration names."""

    async def read(self, command: Command) -> Answer: ...

    async def effect(self, order: Order) -> Answer: ...

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        """Let a host know the token of the newest lease on a target: from then on it refuses orders of older ones."""

    async def connect(self, address: str, port: int, deadline: float) -> bool:
        """Whether a TCP connection opens in time."""


_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+:@-")


def name_of(text: str, what: str) -> str:
    """`text` where it is safe as a name in an argv, else InputError. Guests and alerts never choose it."""
    if not text or len(text) > 255 or text[0] in "-." or not _WORD.issuperset(text):  # noqa: PLR2004 - NAME_MAX
        raise InputError(
            f"{text[:80]!r} cannot be used as {what}: write only letters, digits and _.+:@-, and no - or . at the start"
        )
    return text


def path_of(text: str, what: str) -> str:
    """An absolute path without `..`, blanks or control characters; InputError otherwise."""
    parts = text.split("/")
    if text[:1] != "/" or ".." in parts or not _WORD.issuperset("".join(parts)):
        raise InputError(
            f"{text[:80]!r} cannot be used as {what}: it must be an absolute path of letters, digits and _.+:@-"
        )
    return text


def argv(*words: str | int) -> tuple[str, ...]:
    """An argv from strings and numbers."""
    return tuple(map(str, words))
