"""The standing checks of this host, run now and then, for the metric and its one alert."""

import asyncio
import logging
from collections.abc import Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.deadline import within
from xenwatch.base.errors import HostError
from xenwatch.diagnosis.correlation.standing import CheckResult, judge
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.facts.derived import DERIVED_TELLS, derived
from xenwatch.facts.live import detect
from xenwatch.host.host import Host, is_control_domain

log = logging.getLogger(__name__)

FIRST = 120.0
"""Seconds after the start: then the logs and the first round of facts have been read."""
EVERY = 3600.0
"""What they look at changes when somebody changes it."""
_DEADLINE = 60.0


class HostChecks:
    """What `check host` says of this host, as it was found last; nothing on a machine without Xen."""

    def __init__(self, host: Host, clock: Clock, checks: Sequence[Rule]) -> None:
        self._host, self._clock, self._checks = host, clock, checks
        self.results: tuple[CheckResult, ...] = ()

    async def run(self) -> None:
        """Until cancelled. A host that does not answer keeps its last results."""
        await self._clock.sleep(FIRST)
        while True:
            if is_control_domain(self._host.paths):
                await self.look()
            await self._clock.sleep(EVERY)

    async def look(self) -> None:
        """Make all checks now."""
        told: set[str] = set(DERIVED_TELLS)
        try:
            facts = await within(self._clock, _DEADLINE, "checks of the host", detect(self._host, once=True, told=told))
        except HostError as error:
            log.warning("%s", error)
            return
        now = self._host.clock.now()
        known = [*facts, *derived(facts, now)]
        self.results = tuple(await asyncio.to_thread(judge, self._checks, known, told, now))
