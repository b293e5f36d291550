"""Remediation inside the agent: incidents in, rounds of work, routes and figures out; off without a policy."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from xenwatch.agent.access import Access
from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.host.libvirt import Libvirt
from xenwatch.model.action import RemediationFigures
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.incident import Incident
from xenwatch.notify.webhooks import Webhooks
from xenwatch.remediation.desk import Desk
from xenwatch.remediation.local import open_desk, through
from xenwatch.web import hooks, remediation

log = logging.getLogger(__name__)

_EVERY = 10.0
_MOST_WAITING = 10_000
_SERIOUS = SEVERITIES.index("error")


class Remedy:
    """One for each agent. A damaged journal turns it off and leaves the monitoring alone."""

    def __init__(self, desk: Desk | None, access: Access, clock: Clock, libvirt: Libvirt | None = None) -> None:
        self._desk, self._access, self._clock, self._libvirt = desk, access, clock, libvirt
        self._waiting: deque[Incident] = deque(maxlen=_MOST_WAITING)
        self._failing: set[str] = set()
        self.figures: RemediationFigures | None = None
        """As of the last round; None before the first, and where remediation is off."""

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended; taken in with the next round."""
        if self._desk is not None:
            self._waiting.extend(incidents)

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs beside the agent's other work, by name."""
        if self._desk is None:
            return {}
        found: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {"remediation": partial(self._run, self._desk)}
        if self._access.destinations:
            found["webhooks"] = Webhooks(self._desk, self._access.destinations, self._clock).serve
        return found

    def routes(self) -> list[web.RouteDef]:
        """Of the API and of the webhooks in."""
        if self._desk is None:
            return []
        return [
            *remediation.routes(self._desk, self._access.people),
            *hooks.routes(self._desk, self._access.senders, now=self._clock.now),
        ]

    async def stop(self) -> None:
        """Start nothing more, wait for what is underway, close the journal."""
        if self._desk is not None:
            await self._desk.drain()
            self._desk.close()
        if self._libvirt is not None:
            await self._libvirt.close()

    async def round(self, desk: Desk) -> None:
        """One round: take in, look at health, let start what may."""
        while self._waiting:
            await self._take(desk, self._waiting.popleft())
        guests = desk.policy.inventory.guests
        await desk.note_failing(self._failing, len(guests))
        for guest in guests:
            await desk.note_health(guest.subject.key, guest.subject.key not in self._failing)
        await desk.tick()
        self.figures = await desk.figures()

    async def _run(self, desk: Desk) -> None:
        await desk.recover()
        while True:
            await self.round(desk)
            await self._clock.sleep(_EVERY)

    async def _take(self, desk: Desk, incident: Incident) -> None:
        told = incident.diagnosis
        known = desk.policy.inventory.guest(told.subject) if told.subject.kind == "domain" else None
        if known is not None and SEVERITIES.index(told.severity) >= _SERIOUS:
            mark = self._failing.discard if incident.state == "resolved" else self._failing.add
            mark(known.subject.key)
        await desk.take_incident(incident)


def open_remedy(policy: Path, access: Access, state_dir: Path, clock: Clock, libvirt_uri: str) -> Remedy:
    """ConfigError where the policy has a mistake. Without a policy, or with a damaged journal, nothing is done."""
    if not policy.exists():
        return Remedy(None, access, clock)
    libvirt = Libvirt(libvirt_uri, clock)
    try:
        desk, _ = open_desk(policy, state_dir, clock=clock, libvirt=through(libvirt))
    except StoreError as error:
        log.error("remediation is off: %s", error)  # noqa: TRY400 - words for the administrator
        return Remedy(None, access, clock, libvirt)
    return Remedy(desk, access, clock, libvirt)
