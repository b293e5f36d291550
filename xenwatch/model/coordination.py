"""What a host asks of the fleet before it acts: a claim on one target, and what is granted or denied."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """One run that is about to start."""

    run: str
    host: str
    """The host that would act, as the policy calls it."""
    target: str
    """The target's key: `domain/<uuid>`, `host/xen1`."""
    action: str
    needs_lease: bool
    """It reaches another host, or another host might act on the target too."""
    is_approved: bool
    """A person approved it: maintenance and a storm do not hold it back."""
    to: str = ""
    """The other host that the orders reach; empty: none is named."""
    most_at_once: int = 1
    """Slots of the fleet."""
    most_in_window: int = 0
    """Runs of the fleet that may start within `window` seconds; 0: no bound."""
    window: float = 3600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """The run may start. `token` is the fencing token of its lease; 0: it holds none."""

    run: str = ""
    target: str = ""
    token: int = 0


@dataclass(frozen=True, slots=True)
class Denied:
    """It may not, and which guard says so."""

    guard: str
    reason: str


@dataclass(frozen=True, slots=True)
class MaintenanceNotice:
    """What a person set on this host: `scope` is `all`, `host/xen1` or `domain/<uuid>`; `ends` is wall time."""

    scope: str
    owner: str
    reason: str
    ends: float


Holding = Callable[[], Awaitable[frozenset[str]]]
"""The runs that hold their slots, read from the run store when it is called: after the slots were listed."""


class Coordinator(Protocol):
    """What remediation asks of the fleet. No call raises, and each ends within seconds."""

    @property
    def is_fleet(self) -> bool:
        """Whether hosts share their leases and budgets; False: this host is alone."""

    async def take(self, claim: Claim) -> Grant | Denied:
        """A lease on the target and a slot of the fleet's budget, both or none."""

    async def holds(self, grant: Grant) -> bool:
        """Whether the lease is still ours, by a majority's word; asked before every order."""

    async def release(self, grant: Grant) -> None:
        """The run has ended, so others may act on the target; its slot is for `settle`."""

    async def settle(self, holding: Holding, maintenance: tuple[MaintenanceNotice, ...]) -> None:
        """Free each slot of this host that its run gave up, and tell everybody what is in maintenance."""

    async def close(self) -> None:
        """The agent stops."""


class Alone:
    """In the place of a coordinator where the host belongs to no fleet."""

    is_fleet = False

    async def take(self, claim: Claim) -> Grant | Denied:
        """Only this host's own guards count; over hosts there is nothing that keeps two from acting at once."""
        return Grant(claim.run, claim.target)

    async def holds(self, grant: Grant) -> bool:
        """There is no lease to lose."""
        return grant.token == 0

    async def release(self, grant: Grant) -> None:
        """Nobody waits for it."""

    async def settle(self, holding: Holding, maintenance: tuple[MaintenanceNotice, ...]) -> None:
        """Nobody hears of it."""

    async def close(self) -> None:
        """There is nothing to close."""
