"""Remediation inside the agent: incidents go in, routes and figures come out; off without a policy."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from xenwatch.agent.active_service import ActiveService
from xenwatch.agent.effects_watch import EffectsWatch
from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.config.access import Access
from xenwatch.config.listeners import refuse_open_auto
from xenwatch.host.exec.runner import Runner
from xenwatch.host.libvirt.client import Libvirt
from xenwatch.host.xapi.access import XapiAccess
from xenwatch.model.action import RemediationStatistics
from xenwatch.model.coordination import Coordinator
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.incident import Incident
from xenwatch.notify.webhooks import Webhooks
from xenwatch.remediation.machine.apart import EffectsSocket
from xenwatch.remediation.open import open_service, policy_in_force
from xenwatch.remediation.service import RemediationService
from xenwatch.remediation.store.entries import Head
from xenwatch.web import remediation_api, webhooks
from xenwatch.web.auth import User

log = logging.getLogger(__name__)

_EVERY = 10.0
_MOST_WAITING = 10_000
_SERIOUS = SEVERITIES.index("error")
_LATELY = 600.0
"""Seconds before the last change within which an ended incident may not have reached the run store."""
DRAIN_SECONDS = 20.0
"""Longest wait at the end for runs that have started; the next start finds out how the others ended."""


class RemediationController:
    """One for each agent. A damaged run store turns it off and leaves the monitoring alone."""

    def __init__(
        self,
        service: RemediationService | None,
        access: Access,
        clock: Clock,
        libvirt: Libvirt | None = None,
        *,
        runner: Runner | None = None,
        simulated: Path | None = None,
        guarded: bool = True,
        coordinator: Coordinator | None = None,
        effects: EffectsSocket | None = None,
        pools: Mapping[str, XapiAccess] | None = None,
    ) -> None:
        """`guarded`: no stranger reaches the API, so a policy may act on its own. `effects`: who carries out orders."""
        self._guarded = guarded
        self.effects = EffectsWatch(effects, clock)
        self._active = None if service is None else ActiveService(service)
        self._access, self._clock = access, clock
        self._libvirt, self._runner, self._simulated = libvirt, runner, simulated
        self._coordinator, self._pools = coordinator, pools
        self._next: RemediationService | None = None
        self._recovered, self._reloaded = False, asyncio.Event()
        self._waiting: deque[Incident] = deque(maxlen=_MOST_WAITING)
        self._failing: dict[str, set[str]] = {}
        """Ids of the serious open incidents of each guest, by its key."""
        self._anchored: Head | None = None
        self.figures: RemediationStatistics | None = None
        """As of the last round; None before the first, and where remediation is off."""
        self._shown: RemediationStatistics | None = None
        self.version = 0
        """Higher after each round in which something changed."""

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended; taken in with the next round."""
        if self._active is not None:
            self._waiting.extend(incidents)

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs beside the agent's other parts, by name."""
        active = self._active
        if active is None:
            return {}
        parts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"remediation": lambda: self._run(active)}
        if self._access.destinations:
            parts["webhooks"] = Webhooks(active, self._access.destinations, self._clock).serve
        return parts

    def routes(self) -> list[web.RouteDef]:
        """Of the API."""
        return [] if self._active is None else remediation_api.routes(self._active, self._access.users)

    def hook_routes(self, per_minute: int = webhooks.PER_MINUTE) -> list[web.RouteDef]:
        """Of the webhooks that alerts come in by."""
        if self._active is None:
            return []
        return webhooks.routes(self._active, self._access.senders, now=self._clock.now, per_minute=per_minute)

    @property
    def active(self) -> ActiveService | None:
        """What pages show and the API acts on; None where remediation is off."""
        return self._active

    @property
    def users(self) -> tuple[User, ...]:
        """Who has a token."""
        return self._access.users

    @property
    def service(self) -> RemediationService | None:
        """The one in force; None where remediation is off."""
        return None if self._active is None else self._active.current

    def reload(self, policy: Path, state_dir: Path) -> None:
        """Take over another policy: runs that have started end under the old one first. ConfigError leaves the old.

        Whether there is remediation at all is settled at the start, with the routes.
        """
        if self._active is None or not policy.exists():
            return
        following = policy_in_force(policy)
        refuse_open_auto(following, policy, guarded=self._guarded)
        if following.hash == self._active.current.policy.hash:
            return
        service = open_service(
            following,
            state_dir,
            clock=self._clock,
            libvirt=self._libvirt,
            runner=self._runner,
            simulated=self._simulated,
            coordinator=self._coordinator,
            effects=self.effects.socket,
            pools=self._pools,
        )
        if self._next is not None:
            self._next.close()
        self._next = service
        self._reloaded.set()

    async def stop(self) -> None:
        """Start nothing more, wait for the runs that have started, close the run store."""
        if self._next is not None:
            self._next.close()
        if self._active is not None:
            await self._drain(self._active.current)
            self._active.current.close()
        if self._coordinator is not None:
            await self._coordinator.close()
        if self._libvirt is not None:
            await self._libvirt.close()

    async def round(self, service: RemediationService) -> None:
        """One round: take in incidents, note the health of guests, start what may start."""
        while self._waiting:
            await self._take(service, self._waiting.popleft())
        guests = service.policy.inventory.guests
        await service.note_failing(self._failing.keys(), len(guests))
        await service.note_healths({g.subject.key: g.subject.key not in self._failing for g in guests})
        await self.effects.look()
        await service.tick()
        figures = await service.statistics()
        timeless = replace(figures, oldest_open_seconds=0.0, fsync_seconds=0.0)
        if timeless != self._shown:
            self._shown, self.version = timeless, self.version + 1
        self.figures = figures
        await self._anchor(service)

    async def _anchor(self, service: RemediationService) -> None:
        """Say the head of the record where syslog carries it away: root of this host can forge all that stays here."""
        head = await service.head()
        if head != self._anchored:
            self._anchored = head
            log.info("the head of the record of remediation is %s", head)

    async def _drain(self, service: RemediationService) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await service.drain()
        except TimeoutError:
            log.warning(
                "a remediation run has not ended within %.0f s; the next start finds out how it ended", DRAIN_SECONDS
            )

    async def _run(self, active: ActiveService) -> None:
        while True:
            if not self._recovered:  # later there may be runs of our own, which must not be taken for interrupted ones
                await active.current.recover()
                self._recovered = True
            if self._next is not None:
                await self._replace(active, self._next)
            await self.round(active.current)
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

    async def _replace(self, active: ActiveService, following: RemediationService) -> None:
        old = active.current
        await old.drain()
        active.current, self._next = following, None
        old.close()
        log.info("a new policy is in force: mode %s, %d rules", following.policy.mode, len(following.policy.rules))

    async def _take(self, service: RemediationService, incident: Incident) -> None:
        diagnosis = incident.diagnosis
        subject = diagnosis.subject
        guest = service.policy.inventory.guest(subject) if subject.kind == "domain" else None
        if guest is not None and SEVERITIES.index(diagnosis.severity) >= _SERIOUS:
            self._note_failing(guest.subject.key, incident)
        await service.take_incident(incident)

    def _note_failing(self, guest: str, incident: Incident) -> None:
        incident_ids = self._failing.setdefault(guest, set())
        if incident.state == "resolved":
            incident_ids.discard(incident.id)
        else:
            incident_ids.add(incident.id)
        if not incident_ids:
            del self._failing[guest]


def recent_incidents(incidents: Iterable[Incident]) -> list[Incident]:
    """After a start: incidents that are open, or ended so lately that the run store may not know it yet."""
    listed = list(incidents)
    newest = max((i.resolved or i.last_seen for i in listed), default=0.0)
    return [i for i in listed if i.state != "resolved" or (i.resolved or 0.0) >= newest - _LATELY]


def open_remediation(
    policy: Path,
    access: Access,
    state_dir: Path,
    clock: Clock,
    libvirt_uri: str,
    *,
    runner: Runner | None = None,
    simulated: Path | None = None,
    guarded: bool = True,
    coordinator: Coordinator | None = None,
    effects: EffectsSocket | None = None,
    pools: Mapping[str, XapiAccess] | None = None,
) -> RemediationController:
    """ConfigError where the policy has a mistake, or would act by itself while anybody reaches the API.

    Without a policy, or with a damaged run store, remediation is off. It has its own connection to libvirt: starting
    a guest takes long, and sampling must not wait behind it.
    """
    if not policy.exists():
        return RemediationController(None, access, clock)
    rules = policy_in_force(policy)
    refuse_open_auto(rules, policy, guarded=guarded)
    libvirt = Libvirt(libvirt_uri, clock) if libvirt_uri else None
    means: dict[str, Any] = {"runner": runner, "simulated": simulated, "coordinator": coordinator, "effects": effects}
    means["pools"] = pools
    try:
        service = open_service(rules, state_dir, clock=clock, libvirt=libvirt, **means)
    except StoreError as error:
        log.error("remediation is off: %s", error)  # noqa: TRY400 - words for the administrator
        return RemediationController(None, access, clock, libvirt)
    return RemediationController(service, access, clock, libvirt, guarded=guarded, **means)
