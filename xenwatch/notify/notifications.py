"""Tells people of incidents: every route has its own pace, and one that does not answer holds up no other."""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from xenwatch.base.atomic_file import write_atomically
from xenwatch.base.clock import Clock
from xenwatch.model.incident import Incident
from xenwatch.notify.message import Message, compose
from xenwatch.notify.route import Route
from xenwatch.notify.schedule import Schedule
from xenwatch.notify.senders import Undelivered

log = logging.getLogger(__name__)

FILE = "notified.json"
"""In the state folder: who was told of what, so that a restart tells nobody twice."""
_EVERY = 1.0


class Notifications:
    """All routes of the configuration."""

    def __init__(self, routes: Sequence[Route], clock: Clock, state_dir: Path, host: str, link: str = "") -> None:
        self._clock, self._file, self._host, self._link = clock, state_dir / FILE, host, link
        self._schedules: dict[str, Schedule] = {}
        self._replaced = asyncio.Event()
        self.delivered: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self._take(routes, _saved(self._file))

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended; at the start, all that are known."""
        listed, now = list(incidents), self._clock.now()
        for schedule in self._schedules.values():
            schedule.changed(listed, now)

    def replace(self, routes: Sequence[Route], link: str, incidents: Iterable[Incident]) -> None:
        """Other routes, after a reload. One that keeps its name knows what it told; all get the known `incidents`."""
        told = {name: schedule.to_json() for name, schedule in self._schedules.items()}
        self._link = link
        self._take(routes, told)
        self.changed(incidents)
        self._replaced.set()

    @property
    def waiting(self) -> dict[str, int]:
        """By route: incidents that it has still to tell of."""
        return {name: schedule.waiting for name, schedule in self._schedules.items()}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._replaced.clear()
            tasks = [
                asyncio.create_task(self._serve(schedule), name=f"notify {schedule.route.name}")
                for schedule in self._schedules.values()
            ]
            replaced = asyncio.create_task(self._replaced.wait(), name="notify reload")
            everything: list[asyncio.Task[Any]] = [replaced, *tasks]
            try:
                await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
                for ended in tasks:
                    if ended.done():
                        ended.result()  # it never ends but by a mistake of ours, which supervision must see
            finally:
                for task in everything:
                    task.cancel()
                await asyncio.gather(*everything, return_exceptions=True)

    def _take(self, routes: Sequence[Route], told: Mapping[str, Any]) -> None:
        self._schedules = {route.name: Schedule(route) for route in routes}
        self.delivered = {name: self.delivered.get(name, 0) for name in self._schedules}
        self.failed = {name: self.failed.get(name, 0) for name in self._schedules}
        for name, saved in told.items():
            if name in self._schedules:
                self._schedules[name].from_json(saved)

    async def _serve(self, schedule: Schedule) -> None:
        while True:
            await self.turn(schedule)
            await self._clock.sleep(_EVERY)

    async def turn(self, schedule: Schedule) -> None:
        """Send what is due on one route."""
        due = schedule.due(self._clock.now())
        if due is None:
            return
        reason, incidents = due
        try:
            await deliver(schedule.route, compose(self._host, reason, incidents, self._link))
        except Undelivered as error:
            self.failed[schedule.route.name] += 1
            schedule.failed(self._clock.now())
            log.warning("a notification to [notify.%s] was not delivered: %s", schedule.route.name, error)
            return
        self.delivered[schedule.route.name] += 1
        schedule.sent(reason, incidents, self._clock.now())
        await asyncio.to_thread(self._save, {name: one.to_json() for name, one in self._schedules.items()})

    def _save(self, told: Mapping[str, Any]) -> None:
        try:
            write_atomically(self._file, json.dumps({"version": 1, "told": told}).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s; after a restart, people are told again", self._file, error.strerror)


async def deliver(route: Route, message: Message) -> None:
    """By every sender of the route. Undelivered says which of them failed; the others have it."""
    problems = []
    for sender in route.senders:
        try:
            await sender.send(message)
        except Undelivered as error:
            problems.append(f"{sender.kind}: {error}")
    if problems:
        raise Undelivered("; ".join(problems))


def _saved(file: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return dict(json.loads(file.read_bytes())["told"])
    return {}
