"""Looks at the host now and then for what stands there, so that a rule can ask for it."""

import logging
from collections.abc import Callable, Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.deadline import within
from xenwatch.base.errors import HostError
from xenwatch.facts.live import detect
from xenwatch.host.host import Host
from xenwatch.model.fact import Fact

log = logging.getLogger(__name__)

DEADLINE = 30.0
"""Seconds for one round; each command in it has a shorter one."""


class FactRounds:
    """A round at the start and then every `every` seconds; `take` gets what was learnt in one."""

    def __init__(self, host: Host, clock: Clock, every: float, take: Callable[[Sequence[Fact]], None]) -> None:
        self._host, self._clock, self._every, self._take = host, clock, every, take

    async def run(self) -> None:
        """Until cancelled. A host that does not answer costs a round, not the rounds."""
        while True:
            try:
                self._take(await within(self._clock, DEADLINE, "facts of the host", detect(self._host)))
            except HostError as error:
                log.warning("%s", error)
            await self._clock.sleep(self._every)
