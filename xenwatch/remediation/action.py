"""What an action is: its preconditions, its plan of orders, how its goal is verified, how risky it is."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, XenwatchError
from xenwatch.model.action import Risk
from xenwatch.model.subject import Subject
from xenwatch.remediation.machine.port import Answer, Command, Machine, Order
from xenwatch.remediation.machine.presence import AbsenceProof, ListedDomain, look, prove_absent, sightings
from xenwatch.remediation.policy.inventory import HERE, Guest, ManagedInventory
from xenwatch.remediation.policy.policy import Policy

Outcome = Literal["pass", "fail", "unknown", "warn"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked before acting: what came out and how it was learnt. Only `pass` and `warn` let a run go on."""

    check: str
    outcome: Outcome
    detail: str
    learnt: str = ""

    @property
    def holds(self) -> bool:
        return self.outcome in ("pass", "warn")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the goal is reached: true, proven not, or cannot be told (None)."""

    met: bool | None
    reason: str


class NeedsPerson(XenwatchError):
    """What was found is not for a machine to decide; the run ends unknown and a person is told."""


@dataclass(frozen=True, slots=True)
class Step:
    """One order and, where the next must not start before it, what has to be seen first."""

    order: Order
    confirm: Callable[["Context"], Awaitable[Verdict]] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order. `then` is asked again and again for more, where the next depends on what is seen."""

    steps: tuple[Step, ...] = ()
    then: Callable[["Context"], Awaitable[tuple[Step, ...]]] | None = None
    summary: tuple[str, ...] = ()
    """What `then` may do, in words; it belongs to the plan a person approves."""

    @property
    def words(self) -> tuple[str, ...]:
        return (*(step.order.words for step in self.steps), *self.summary)


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
    """A person approved this very plan: his eyes stand in for signs that an automatic run would need."""
    before: dict[str, str] = field(default_factory=dict)
    """Facts kept by the preconditions for the verification, such as the domid before a reboot; journalled."""

    @property
    def inventory(self) -> ManagedInventory:
        return self.policy.inventory

    @property
    def known(self) -> Guest:
        """The guest; InputError for an action that needs one and was given none."""
        if self.guest is None:
            raise InputError(f"{self.target} is not a guest named in the policy")
        return self.guest

    async def read(self, *argv: str, host: str = HERE, deadline: float = 10.0) -> Answer:
        return await self.machine.read(Command(argv, host, deadline))

    async def rows(self, host: str = HERE) -> tuple[ListedDomain, ...] | None:
        """All domains of a host; None: unknown."""
        return await look(self.machine, host, self.guest.toolstack if self.guest else "xl")

    async def sighted(self, host: str = HERE) -> tuple[ListedDomain, ...] | None:
        """The rows on a host that are this guest; None: unknown."""
        rows = await self.rows(host)
        return None if rows is None else sightings(rows, self.known.name, self.known.uuid)

    async def row(self, host: str = HERE) -> ListedDomain | None:
        """The guest's only row on a host, under its own name; None where there is none, several or no telling."""
        rows = await self.sighted(host)
        return rows[0] if rows is not None and len(rows) == 1 and rows[0].name == self.known.name else None

    async def proof(self, *, elsewhere: bool = False) -> AbsenceProof:
        """The proof that the guest runs nowhere, or nowhere but here."""
        guest = self.known
        hosts = [host for host in self.inventory.places(guest) if not (elsewhere and host == HERE)]
        if elsewhere and not hosts:
            return AbsenceProof("absent", f"{guest.name} may run on this host alone")
        return await prove_absent(
            self.machine, self.clock, hosts, name=guest.name, uuid=guest.uuid, toolstack=guest.toolstack
        )

    def param(self, name: str) -> str:
        """A parameter; InputError where it was not given."""
        if not self.params.get(name):
            raise InputError(f"the parameter {name} is missing")
        return self.params[name]


async def _never(_context: Context) -> list[Finding]:
    return []


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the catalogue. `actions/` has one file each; there is nothing that can be done beside these."""

    name: str
    title: str
    risk: Risk
    kinds: tuple[str, ...]
    """Subject kinds it acts on."""
    plan: Callable[[Context], Awaitable[Plan]]
    """The orders; it reads only. InputError where a parameter cannot be used."""
    verify: Callable[[Context], Awaitable[Verdict]]
    """One look at the goal, independent of what the orders answered."""
    check: Callable[[Context], Awaitable[list[Finding]]] = _never
    """Preconditions; asked at proposal and again right before the effect."""
    params: tuple[str, ...] = ()
    """Names of the parameters it takes."""
    within: float = 120.0
    """Seconds in which the goal must be reached."""
    hold: float = 0.0
    """Seconds for which it must then stand."""
    undo: str = ""
    """How it is taken back, in words."""
    cross_host: bool = False
    repairs: bool = True
    """False: it only prepares or tells, so after its success the ladder goes on to the next rung."""
    interruptible: bool = False


def plan_hash(action: Action, target: Subject, params: Mapping[str, str], plan: Plan) -> str:
    """What an approval is bound to: the action, the target's UUID, the parameters and every argument of every step."""
    whole = [action.name, target.key, sorted(params.items()), list(plan.words)]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


async def settle(context: Context, action: Action) -> Verdict:
    """Look until the goal has stood for `hold` seconds or the time is up; the last look counts."""
    deadline = context.clock.monotonic() + action.within
    since: float | None = None
    while True:
        verdict = await action.verify(context)
        now = context.clock.monotonic()
        since = (since if since is not None else now) if verdict.met else None
        if since is not None and now - since >= action.hold:
            return verdict
        if now >= deadline + action.hold:
            return verdict if not verdict.met else Verdict(None, f"{verdict.reason}, but not for long enough yet")
        await context.clock.sleep(min(5.0, max(0.5, action.hold / 4)))
