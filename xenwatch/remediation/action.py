"""What an action is: its preconditions, its plan of orders, how its goal is verified, and its risk."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, XenwatchError
from xenwatch.model.action import RISKS, Risk
from xenwatch.model.subject import Subject
from xenwatch.remediation.machine.port import Answer, Command, Machine, Order
from xenwatch.remediation.machine.power import steady_state
from xenwatch.remediation.machine.presence import AbsenceProof, ListedDomain, copies_of, list_domains, prove_absent
from xenwatch.remediation.policy.inventory import HERE, Guest, ManagedInventory
from xenwatch.remediation.policy.policy import Policy

Outcome = Literal["pass", "fail", "unknown", "warn"]
ANY_KIND = ("*",)
"""For an action that acts on subjects of every kind."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check before acting: its outcome and the source of it. Only `pass` and `warn` let a run go on."""

    check: str
    outcome: Outcome
    detail: str
    source: str = ""

    @property
    def holds(self) -> bool:
        return self.outcome in ("pass", "warn")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the goal is reached; None: unknown."""

    met: bool | None
    reason: str


class NeedsPerson(XenwatchError):
    """A person must decide what to do; the run ends unknown."""


@dataclass(frozen=True, slots=True)
class Step:
    """One order and, where the next one must wait for it, how its effect is confirmed."""

    order: Order
    confirm: Callable[["Context"], Awaitable[Verdict]] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order. `next_steps` is called again and again for more, where they depend on what happened."""

    steps: tuple[Step, ...] = ()
    next_steps: Callable[["Context"], Awaitable[tuple[Step, ...]]] | None = None
    summary: tuple[str, ...] = ()
    """What `next_steps` may do, in words; it belongs to the plan a person approves."""

    @property
    def description(self) -> tuple[str, ...]:
        """One line a step, each with the arguments it runs with."""
        return (*(step.order.description for step in self.steps), *self.summary)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything an action is given. It reaches the machine through `machine` alone and time through `clock`."""

    machine: Machine
    clock: Clock
    policy: Policy
    target: Subject
    guest: Guest | None
    params: Mapping[str, str]
    run: str = ""
    approved: bool = False
    """A person approved this very plan, so that it needs less evidence than an automatic run."""
    baseline: dict[str, str] = field(default_factory=dict)
    """Facts that the preconditions keep for the verification, such as the domid before a reboot; kept with the run."""
    answers: dict[tuple[str, ...], Answer] = field(default_factory=dict)
    """Answers of `read_once`, by host and argv; they last for one run of the checks."""

    @property
    def inventory(self) -> ManagedInventory:
        return self.policy.inventory

    @property
    def managed_guest(self) -> Guest:
        """The guest; InputError where the target is not one."""
        if self.guest is None:
            raise InputError(f"{self.target} is not a guest of the policy")
        return self.guest

    async def read(self, *argv: str, host: str = HERE, deadline: float = 10.0) -> Answer:
        return await self.machine.read(Command(argv, host, deadline))

    async def read_once(self, *argv: str, host: str = HERE) -> Answer:
        """Like `read`, for what several checks ask: the program runs once in each run of the checks."""
        key = (host, *argv)
        if key not in self.answers:
            self.answers[key] = await self.read(*argv, host=host)
        return self.answers[key]

    def fresh(self) -> "Context":
        """The same context for another run of the checks: nothing that was read before counts."""
        return replace(self, answers={})

    async def domains(self, host: str = HERE) -> tuple[ListedDomain, ...] | None:
        """All domains of a host; None: unknown."""
        return await list_domains(self.machine, host, self.guest.toolstack if self.guest else "xl")

    async def copies(self, host: str = HERE) -> tuple[ListedDomain, ...] | None:
        """The domains on a host that are this guest; None: unknown."""
        rows = await self.domains(host)
        return None if rows is None else copies_of(rows, self.managed_guest.name, self.managed_guest.uuid)

    async def sole_copy(self, host: str = HERE) -> ListedDomain | None:
        """The guest's only domain on a host, under its own name; None: there is none, there are several, or unknown."""
        copies = await self.copies(host)
        unique = copies is not None and len(copies) == 1 and copies[0].name == self.managed_guest.name
        return copies[0] if copies and unique else None

    async def absence_proof(self, *, elsewhere: bool = False) -> AbsenceProof:
        """The proof that the guest runs on no host, or on no other host."""
        guest = self.managed_guest
        hosts = [host for host in self.inventory.places(guest) if not (elsewhere and host == HERE)]
        if elsewhere and not hosts:
            return AbsenceProof("absent", f"{guest.name} may run only on this host")
        return await self._absence(guest, hosts)

    async def _absence(self, guest: Guest, hosts: list[str]) -> AbsenceProof:
        """A host that does not answer, and of which its management board says that it is off, runs nothing."""
        proof = await prove_absent(
            self.machine, self.clock, hosts, name=guest.name, uuid=guest.uuid, toolstack=guest.toolstack
        )
        host = self.inventory.host(proof.silent) if proof.silent else None
        if host is None or await steady_state(self.machine, self.clock, host) != "off":
            return proof
        left = [name for name in hosts if name != host.name]
        rest = await self._absence(guest, left) if left else AbsenceProof("absent", "")
        return replace(rest, reason=f"{rest.reason}; {host.name} is off".removeprefix("; "))

    def param(self, name: str) -> str:
        """A parameter; InputError where it was not given."""
        if not self.params.get(name):
            raise InputError(f"the parameter {name} is missing")
        return self.params[name]


async def _no_checks(_context: Context) -> list[Finding]:
    return []


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the catalogue. `actions/` has one file each; nothing else can be done."""

    name: str
    title: str
    risk: Risk
    kinds: tuple[str, ...]
    """Kinds of subjects it acts on, or `ANY_KIND`."""
    plan: Callable[[Context], Awaitable[Plan]]
    """The orders; planning only reads. InputError where a parameter is not valid."""
    verify: Callable[[Context], Awaitable[Verdict]]
    """Whether the goal is reached now, whatever the orders answered."""
    check: Callable[[Context], Awaitable[list[Finding]]] = _no_checks
    """Preconditions; checked for the proposal and again right before the effect."""
    params: tuple[str, ...] = ()
    """Names of the parameters it takes."""
    required: tuple[str, ...] = ()
    """Those of them without which it can do nothing."""
    exists: Callable[[Context], Awaitable[Finding]] | None = None
    """Whether what its parameters name is on this host at all, for those who check a policy."""
    within: float = 120.0
    """Seconds in which the goal must be reached."""
    hold: float = 0.0
    """Seconds for which it must then last."""
    undo: str = ""
    """How it is undone, in words."""
    cross_host: bool = False
    """It acts on another host too."""
    fences: str = ""
    """The parameter that names a host which does not answer and loses its power; nobody there takes a token."""
    repairs: bool = True
    """False: it only prepares or reports, so after its success the ladder goes on to the next rung."""
    message_only: bool = False
    """It only sends a message: no budget, breaker, storm or unknown outcome holds it back."""
    of_pool: bool = False
    """It acts through xapi, on a pool and what is in it; it needs nothing of this machine, not even its helper."""
    recovery: bool = False
    """It repairs what an unknown outcome left: it may start while the target has one, and its success settles it."""

    @property
    def changes_something(self) -> bool:
        return self.risk != RISKS[0]

    def accepts(self, kind: str) -> bool:
        """Whether it acts on subjects of this kind."""
        return kind in self.kinds or self.kinds == ANY_KIND

    def acts_on(self, subject: Subject) -> bool:
        """Whether it acts on this one: what is of a pool is left to the pool's own operations."""
        same_side = self.message_only or self.of_pool == (subject.host is not None)
        return same_side and self.accepts(subject.kind)


def plan_hash(action: Action, target: Subject, params: Mapping[str, str], plan: Plan) -> str:
    """What an approval is bound to: the action, the target's UUID, the parameters and every argument of every step."""
    return hash_as_shown(action.name, target, params, plan.description)


def hash_as_shown(action: str, target: Subject, params: Mapping[str, str], steps: Sequence[str]) -> str:
    """The same, from the words that a person reads."""
    content = [action, target.key, sorted(params.items()), list(steps)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


async def await_goal(context: Context, action: Action) -> Verdict:
    """Verify until the goal has lasted for `hold` seconds or the time is up; the last verdict counts."""
    deadline = context.clock.monotonic() + action.within
    since: float | None = None
    while True:
        verdict = await action.verify(context)
        now = context.clock.monotonic()
        since = (since if since is not None else now) if verdict.met else None
        if since is not None and now - since >= action.hold:
            return verdict
        if now >= deadline + action.hold:
            return verdict if not verdict.met else Verdict(None, f"{verdict.reason}, but not yet for long enough")
        await context.clock.sleep(min(5.0, max(0.5, action.hold / 4)))
