"""The brake over the fleet: where many hosts fail at once, nothing starts by itself on any of them for a while."""

from collections.abc import Iterable, Mapping

from xenwatch.base.clock import Clock
from xenwatch.fleet.host_report import HostIncident

STORM = "/xenwatch/fleet/storm"
"""There is a storm while this key is there."""
COOLDOWN_SECONDS = 900
"""So long it lasts after it was last seen: the key stands on a lease."""
_WITHIN = 300.0
_LEAST_HOSTS = 3
_MOST_UNHEALTHY = 0.3
_SERIOUS = ("error", "critical")


class StormWatch:
    """Of the hub that leads. What stands there when it begins is old: a storm from before has its key already."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, float] | None = None
        """By key of etcd: when an open incident was first seen here; no host's clock counts."""

    def words(self, incidents: Mapping[str, HostIncident], hosts: int) -> str | None:
        """What is to be said of the storm; None where there is none."""
        now = self._clock.monotonic()
        self._note(incidents, now)
        lately = {incidents[key].host for key, since in (self._since or {}).items() if now - since < _WITHIN}
        if len(lately) < _LEAST_HOSTS or len(lately) <= _MOST_UNHEALTHY * hosts:
            return None
        return f"{len(lately)} of {hosts} hosts began to fail within {_WITHIN:.0f} s"

    def _note(self, incidents: Mapping[str, HostIncident], now: float) -> None:
        known, first = self._since or {}, self._since is None
        serious = _serious(incidents.items())
        self._since = {key: known.get(key, now - _WITHIN if first else now) for key in serious}


def _serious(incidents: Iterable[tuple[str, HostIncident]]) -> list[str]:
    return [key for key, incident in incidents if incident.is_open and incident.severity in _SERIOUS]
