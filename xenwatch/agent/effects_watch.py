"""Whether the effects helper is there: asked now and then, and said where it is not, for then nothing is repaired."""

import logging

from xenwatch.base.clock import Clock
from xenwatch.remediation.machine.apart import EffectsSocket

log = logging.getLogger(__name__)

_EVERY = 3600.0
_EVERY_IN_TROUBLE = 60.0
"""Seconds between two questions; the helper ends when nobody asks, and is started again by a question."""


class EffectsWatch:
    """`socket` None: the agent itself carries out orders, and there is nothing to watch."""

    def __init__(self, socket: EffectsSocket | None, clock: Clock) -> None:
        self.socket, self._clock = socket, clock
        self.trouble = ""
        """Why nothing is repaired now; empty where nothing is in the way."""
        self._next = clock.monotonic()

    async def look(self) -> None:
        """Ask where it is time to; say it once where the answer is another one than before."""
        if self.socket is None or self._clock.monotonic() < self._next:
            return
        trouble = await self.socket.refusal() or ""
        self._next = self._clock.monotonic() + (_EVERY_IN_TROUBLE if trouble else _EVERY)
        if trouble and trouble != self.trouble:
            log.warning("remediation only observes: %s", trouble)
        elif self.trouble and not trouble:
            log.info("the effects helper answers again")
        self.trouble = trouble
