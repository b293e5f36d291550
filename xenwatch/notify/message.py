"""What people are sent: a title and a text from one or more incidents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import printable
from xenwatch.model.diagnosis import SEVERITIES, Severity
from xenwatch.model.gaps import without_gaps
from xenwatch.model.incident import Incident
from xenwatch.model.public_json import public_incident
from xenwatch.model.steps import typed

Reason = Literal["opened", "repeated", "resolved", "test"]
_SHOWN = 10
_STATE = {"opened": "", "repeated": "still open: ", "resolved": "resolved: ", "test": ""}


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text; a guest may have written parts of it."""

    reason: Reason
    severity: Severity
    title: str
    body: str
    host: str
    incidents: tuple[Incident, ...] = ()

    def document(self) -> dict[str, Any]:
        """For programs: version 1, the incidents as the API shows them."""
        return {
            "version": 1,
            "reason": self.reason,
            "severity": self.severity,
            "host": self.host,
            "title": self.title,
            "body": self.body,
            "incidents": [public_incident(incident, _stamp) for incident in self.incidents],
        }


def compose(host: str, reason: Reason, incidents: Sequence[Incident], link: str = "") -> Message:
    """`link`: the address of the agent's pages; empty: the text names a command instead."""
    ordered = sorted(incidents, key=lambda i: (-SEVERITIES.index(i.diagnosis.severity), i.opened))
    worst = ordered[0].diagnosis
    if len(ordered) == 1:
        title = f"{worst.severity}: {worst.title} ({worst.subject})"
    else:
        title = f"{count_text(len(ordered), 'incident')}, {worst.severity}: {worst.title} ({worst.subject})"
    parts = ["\n".join(_paragraph(incident, reason, link)) for incident in ordered[:_SHOWN]]
    if len(ordered) > _SHOWN:
        parts.append(f"And {len(ordered) - _SHOWN} more: xenwatch incidents list")
    text = printable("\n\n".join(parts))
    return Message(reason, worst.severity, printable(f"{host}: {_STATE[reason]}{title}"), text, host, tuple(ordered))


def trial_message(host: str) -> Message:
    """What `xenwatch notify test` sends."""
    body = "This is a test. Nothing is wrong. Incidents that this destination is for arrive in the same way."
    return Message("test", "info", f"{host}: test of a notification", body, host)


def _paragraph(incident: Incident, reason: Reason, link: str) -> Iterator[str]:
    diagnosis = incident.diagnosis
    yield f"{diagnosis.severity.upper()}  {diagnosis.subject}: {diagnosis.title}"
    if reason == "resolved":
        yield f"Since {_stamp(incident.opened)}, over at {_stamp(incident.resolved)}."
    else:
        yield without_gaps(diagnosis.cause.strip())
        if diagnosis.verify:
            yield f"Look first: {typed(diagnosis.verify[:1], diagnosis.subject, old=False)[0]}"
        yield f"Since {_stamp(incident.opened)}, seen {count_text(incident.times_seen, 'time')}."
    yield f"{link}/incidents/{incident.id}" if link else f"xenwatch incidents show {incident.id}"


def _stamp(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
