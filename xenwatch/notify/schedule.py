"""When a route is told: grouped when incidents open, again while they stay open, and when they are over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xenwatch.model.diagnosis import SEVERITIES, Severity
from xenwatch.model.incident import Incident
from xenwatch.notify.message import Reason
from xenwatch.notify.route import Route

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
_MOST_KNOWN = 10_000


@dataclass(slots=True)
class Told:
    """What this route knows of an incident."""

    at: float
    severity: Severity


@dataclass(slots=True)
class Schedule:
    """Of one route. It only decides; `Notifications` sends, and says whether it worked."""

    route: Route
    told: dict[str, Told] = field(default_factory=dict)
    open: dict[str, Incident] = field(default_factory=dict)
    """Those that the route is for and that are not over, by id."""
    ended: dict[str, Incident] = field(default_factory=dict)
    waiting_since: float | None = None
    ended_since: float | None = None
    failures: int = 0
    not_before: float = 0.0

    def changed(self, incidents: Iterable[Incident], now: float) -> None:
        """Take in what opened, changed or ended."""
        for incident in incidents:
            if incident.state == "resolved":
                self._over(incident, now)
            elif incident.state == "open" and self.route.wants(incident):
                self.open[incident.id] = incident
            else:  # a symptom by now: its cause is told
                self.open.pop(incident.id, None)
        self.waiting_since = (self.waiting_since or now) if self._news() else None

    def due(self, now: float) -> tuple[Reason, list[Incident]] | None:
        """What is to be sent now."""
        if now < self.not_before:
            return None
        kinds: tuple[tuple[Reason, list[Incident]], ...] = (
            ("opened", self._news() if self._waited(self.waiting_since, now) else []),
            ("resolved", list(self.ended.values()) if self._waited(self.ended_since, now) else []),
            ("repeated", [i for i in self.open.values() if self._repeats(i, now)]),
        )
        # What quiet hours hold back must not hold back the rest.
        return next(((reason, loud) for reason, some in kinds if (loud := self._loud(some, now))), None)

    @property
    def waiting(self) -> int:
        """Incidents that are still to be told of, open or over."""
        return len(self._news()) + len(self.ended)

    def sent(self, reason: Reason, incidents: Iterable[Incident], now: float) -> None:
        """It was delivered."""
        self.failures, self.not_before = 0, 0.0
        for incident in incidents:
            if reason == "resolved":
                self.ended.pop(incident.id, None)
            else:
                self.told[incident.id] = Told(now, incident.diagnosis.severity)
        self.waiting_since = now if self._news() else None
        self.ended_since = now if self.ended else None

    def failed(self, now: float) -> None:
        """It was not; it is sent again after a while."""
        self.not_before = now + min(_FIRST_PAUSE * 2 ** min(self.failures, 20), _LONGEST_PAUSE)
        self.failures += 1

    def to_json(self) -> dict[str, Any]:
        """What must be known after a restart."""
        return {key: [told.at, told.severity] for key, told in list(self.told.items())[-_MOST_KNOWN:]}

    def from_json(self, saved: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.told = {key: Told(float(at), severity) for key, (at, severity) in saved.items()}

    def _over(self, incident: Incident, now: float) -> None:
        self.open.pop(incident.id, None)
        if self.told.pop(incident.id, None) is not None and self.route.resolved:
            self.ended[incident.id] = incident
            self.ended_since = self.ended_since or now

    def _news(self) -> list[Incident]:
        """Not told yet, or worse than it was; what somebody looks after already is no news."""
        return [i for i in self.open.values() if i.acknowledged_by is None and self._is_news(i)]

    def _is_news(self, incident: Incident) -> bool:
        told = self.told.get(incident.id)
        return told is None or SEVERITIES.index(incident.diagnosis.severity) > SEVERITIES.index(told.severity)

    def _repeats(self, incident: Incident, now: float) -> bool:
        told, every = self.told.get(incident.id), self.route.repeat_every
        return told is not None and every > 0 and incident.acknowledged_by is None and now - told.at >= every

    def _waited(self, since: float | None, now: float) -> bool:
        """Whether all that belongs into one message has had the time to come."""
        return since is not None and now - since >= self.route.group_for

    def _loud(self, incidents: list[Incident], now: float) -> list[Incident]:
        quiet = self.route.quiet
        return [i for i in incidents if quiet is None or not quiet.hold(i.diagnosis.severity, now)]
