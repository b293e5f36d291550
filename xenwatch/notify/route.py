"""Who is told of what: the incidents that a route is for, and its quiet hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from fnmatch import fnmatchcase
from typing import Protocol

from xenwatch.base.errors import InvalidValue
from xenwatch.model.diagnosis import SEVERITIES, Severity
from xenwatch.model.incident import Incident
from xenwatch.notify.message import Message


class Sender(Protocol):
    """Delivers a message to one receiver."""

    @property
    def kind(self) -> str:
        """For people; no secret is in it."""

    async def send(self, message: Message) -> None:
        """Raises Undelivered, whose words hold no secret."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day to another, over midnight if need be; less than `unless` waits until they are over."""

    begin: time
    end: time
    unless: Severity = "critical"

    def hold(self, severity: Severity, now: float) -> bool:
        """Whether a message of this severity waits at this moment, in the local time of the host."""
        at = datetime.fromtimestamp(now, UTC).astimezone().time()
        within = self.begin <= at < self.end if self.begin < self.end else at >= self.begin or at < self.end
        return within and SEVERITIES.index(severity) < SEVERITIES.index(self.unless)


def parse_quiet(text: str, unless: Severity) -> QuietHours | None:
    """`22:00-07:00`; None for an empty text. InvalidValue."""
    if not text:
        return None
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise InvalidValue(f'{text!r} must be two times of the day, like "22:00-07:00"') from None
    return QuietHours(begin, end, unless)


@dataclass(frozen=True, slots=True)
class Route:
    """One table of [notify]."""

    name: str
    senders: Sequence[Sender]
    severity: Severity = "error"
    classes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    group_for: float = 30.0
    repeat_every: float = 4 * 3600.0
    resolved: bool = True
    quiet: QuietHours | None = field(default=None)

    def wants(self, incident: Incident) -> bool:
        """By severity, class and subject; a symptom is told with its cause."""
        diagnosis = incident.diagnosis
        return (
            SEVERITIES.index(diagnosis.severity) >= SEVERITIES.index(self.severity)
            and _fits(diagnosis.class_, self.classes)
            and _fits(f"{diagnosis.subject.kind}/{diagnosis.subject.name}", self.subjects)
        )


def _fits(text: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
