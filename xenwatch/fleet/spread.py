"""Whether a cause spreads: how many hosts it has gained lately, as this hub saw it."""

from collections import deque

from xenwatch.base.clock import Clock
from xenwatch.fleet.incident import FleetIncident

LATELY = 600.0


class Spread:
    """Times are this hub's own: no host's clock counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def note(self, incidents: dict[str, FleetIncident]) -> None:
        """Called after each change of the fleet's incidents."""
        now = self._clock.monotonic()
        for id_, incident in incidents.items():
            steps = self._seen.setdefault(id_, deque(maxlen=1000))
            if not steps or steps[-1][1] != len(incident.hosts):
                steps.append((now, len(incident.hosts)))
        for id_ in self._seen.keys() - incidents.keys():
            del self._seen[id_]

    def gained(self, id_: str) -> int:
        """Hosts that joined within the last ten minutes; of one that is new, all but the first sight of it."""
        steps = self._seen.get(id_, deque())
        since = self._clock.monotonic() - LATELY
        before = [count for at, count in steps if at <= since] or [steps[0][1]] if steps else [0]
        return max(0, (steps[-1][1] if steps else 0) - before[-1])
