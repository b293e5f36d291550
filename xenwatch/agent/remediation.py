"""Remediation inside the agent: incidents in, rounds of work, routes and figures out; off without a policy."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from aiohttp import web

from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.config.access import Access
from xenwatch.config.listeners import refuse_open_auto
from xenwatch.host.exec.runner import Runner
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.model.action import RemediationStatistics
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.incident import Incident
from xenwatch.notify.webhooks import Webhooks
from xenwatch.remediation.open import open_service, read_policy, through
from xenwatch.remediation.service import RemediationService
from xenwatch.web import remediation_api as remediation
from xenwatch.web import webhooks as hooks
from xenwatch.web.auth import User

log = logging.getLogger(__name__)

_EVERY = 10.0
_MOST_WAITING = 10_000
_SERIOUS = SEVERITIES.index("error")
_LATELY = 600.0
"""Seconds before the last change within which an ended incident may not have reached the journal."""
DRAIN_SECONDS = 20.0
"""Longest wait at the end for what is underway; what is not done by then is looked at after the next start."""


class RemediationController:
    """One for each agent. A damaged journal turns it off and leaves the monitoring alone."""

    def __init__(
        self,
        desk: RemediationService | None,
        access: Access,
        clock: Clock,
        libvirt: Libvirt | None = None,
        *,
        runner: Runner | None = None,
        guarded: bool = True,
    ) -> None:
        """`guarded`: no stranger reaches the API, so a policy may act on its own."""
        self._guarded = guarded
        self._desk, self._access, self._clock = desk, access, clock
        self._libvirt, self._runner = libvirt, runner
        self._next: RemediationService | None = None
        self._recovered, self._reloaded = False, asyncio.Event()
        self._waiting: deque[Incident] = deque(maxlen=_MOST_WAITING)
        self._failing: dict[str, set[str]] = {}
        """Ids of the serious open incidents of each guest, by its key."""
        self.figures: RemediationStatistics | None = None
        """As of the last round; None before the first, and where remediation is off."""

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended; taken in with the next round."""
        if self._desk is not None:
            self._waiting.extend(incidents)

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs beside the agent's other work, by name."""
        if self._desk is None:
            return {}
        found: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"remediation": self._run}
        if self._access.destinations:
            found["webhooks"] = Webhooks(_InForce(self), self._access.destinations, self._clock).serve
        return found

    def routes(self) -> list[web.RouteDef]:
        """Of the API."""
        in_force: Any = _InForce(self)
        return [] if self._desk is None else remediation.routes(in_force, self._access.people)

    def hook_routes(self, per_minute: int = hooks.PER_MINUTE) -> list[web.RouteDef]:
        """Of the webhooks in."""
        in_force: Any = _InForce(self)
        senders, now = self._access.senders, self._clock.now
        return [] if self._desk is None else hooks.routes(in_force, senders, now=now, per_minute=per_minute)

    @property
    def people(self) -> tuple[User, ...]:
        """Who has a token."""
        return self._access.people

    @property
    def desk(self) -> RemediationService | None:
        """The one in force; None where remediation is off."""
        return self._desk

    def reload(self, policy: Path, state_dir: Path) -> None:
        """Take over another policy: what is underway ends under the old one first. ConfigError leaves the old.

        Whether there is remediation at all is settled at the start, with the routes.
        """
        if self._desk is None or self._libvirt is None or not policy.exists():
            return
        call = through(self._libvirt)
        following = read_policy(policy)
        refuse_open_auto(following, policy, guarded=self._guarded)
        if following.hash == self._desk.policy.hash:
            return
        desk = open_service(following, state_dir, clock=self._clock, libvirt=call, runner=self._runner)
        if self._next is not None:
            self._next.close()
        self._next = desk
        self._reloaded.set()

    async def stop(self) -> None:
        """Start nothing more, wait for what is underway, close the journal."""
        if self._next is not None:
            self._next.close()
        if self._desk is not None:
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._desk.drain()
            except TimeoutError:
                log.warning("a run is still underway; the next start looks how it ended")
            self._desk.close()
        if self._libvirt is not None:
            await self._libvirt.close()

    async def round(self, desk: RemediationService) -> None:
        """One round: take in, look at health, let start what may."""
        while self._waiting:
            await self._take(desk, self._waiting.popleft())
        guests = desk.policy.inventory.guests
        await desk.note_failing(self._failing.keys(), len(guests))
        await desk.note_healths({g.subject.key: g.subject.key not in self._failing for g in guests})
        await desk.tick()
        self.figures = await desk.statistics()

    async def _run(self) -> None:
        while self._desk is not None:
            if not self._recovered:  # later there may be runs of our own, which are not to be taken for left behind
                await self._desk.recover()
                self._recovered = True
            if self._next is not None:
                await self._go_over(self._desk, self._next)
            await self.round(self._desk)
            await self._pause()

    async def _pause(self) -> None:
        """Until the next round, or until a reload brought another policy."""
        waits = [asyncio.ensure_future(self._clock.sleep(_EVERY)), asyncio.ensure_future(self._reloaded.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._reloaded.clear()

    async def _go_over(self, old: RemediationService, following: RemediationService) -> None:
        await old.drain()
        self._desk, self._next = following, None
        old.close()
        log.info("another policy is in force: mode %s, %d rules", following.policy.mode, len(following.policy.rules))

    async def _take(self, desk: RemediationService, incident: Incident) -> None:
        told = incident.diagnosis
        known = desk.policy.inventory.guest(told.subject) if told.subject.kind == "domain" else None
        if known is not None and SEVERITIES.index(told.severity) >= _SERIOUS:
            self._mark(known.subject.key, incident)
        await desk.take_incident(incident)

    def _mark(self, guest: str, incident: Incident) -> None:
        open_ones = self._failing.setdefault(guest, set())
        if incident.state == "resolved":
            open_ones.discard(incident.id)
        else:
            open_ones.add(incident.id)
        if not open_ones:
            del self._failing[guest]


class _InForce:
    """Asks the desk in force each time: a reload may have put another in its place."""

    def __init__(self, remedy: RemediationController) -> None:
        self._remedy = remedy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._remedy.desk, name)


def untold(known: Iterable[Incident]) -> list[Incident]:
    """After a start: what is open, and what ended so lately that the journal may not have heard of it."""
    incidents = list(known)
    newest = max((i.resolved or i.last_seen for i in incidents), default=0.0)
    return [i for i in incidents if i.state != "resolved" or (i.resolved or 0.0) >= newest - _LATELY]


def open_remediation(
    policy: Path,
    access: Access,
    state_dir: Path,
    clock: Clock,
    libvirt_uri: str,
    *,
    runner: Runner | None = None,
    guarded: bool = True,
) -> RemediationController:
    """ConfigError where the policy has a mistake, or would act by itself while strangers reach the API.

    Without a policy, or with a damaged journal, nothing is done. Its connection to libvirt is its own: starting a guest
    takes long, and sampling must not wait behind it.
    """
    if not policy.exists():
        return RemediationController(None, access, clock)
    rules = read_policy(policy)
    refuse_open_auto(rules, policy, guarded=guarded)
    libvirt = Libvirt(libvirt_uri, clock)
    try:
        desk = open_service(rules, state_dir, clock=clock, libvirt=through(libvirt), runner=runner)
    except StoreError as error:
        log.error("remediation is off: %s", error)  # noqa: TRY400 - words for the administrator
        return RemediationController(None, access, clock, libvirt)
    return RemediationController(desk, access, clock, libvirt, runner=runner, guarded=guarded)
