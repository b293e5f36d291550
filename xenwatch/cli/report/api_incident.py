"""An incident as the agent's API gives it, made ready for a terminal."""

from typing import Any

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line, printable
from xenwatch.cli.report.format import shortened, stamp_text
from xenwatch.cli.report.incident_table import subject_text
from xenwatch.cli.report.incident_text import EvidenceText, IncidentText
from xenwatch.model.gaps import not_checked_text, without_gaps
from xenwatch.model.serialize import subject_from_json
from xenwatch.model.steps import typed

_MOST_EVIDENCE = 10
_MOST_CONSEQUENCES = 10


def incident_text(incident: dict[str, Any]) -> IncidentText:
    """`incident` as /api/v1/incidents/ID has it, or one row of the list with `full=1`."""
    subject = subject_from_json(incident["subject"])
    evidence = _once(incident["evidence"])
    consequences = _consequences(incident)
    return IncidentText(
        severity=incident["severity"],
        title=incident["title"],
        subject=subject_text(incident),
        details=(("state", _state(incident)), ("seen", _seen(incident)), ("summary", _summary(incident))),
        cause=without_gaps(incident["cause"]),
        impact=without_gaps(incident.get("impact") or ""),
        evidence=tuple(map(_evidence, evidence[:_MOST_EVIDENCE])),
        evidence_left_out=len(evidence[_MOST_EVIDENCE:]),
        consequences=consequences[:_MOST_CONSEQUENCES],
        consequences_left_out=len(consequences[_MOST_CONSEQUENCES:]),
        verify=typed(incident["verify"], subject, old=False),
        fix=typed(incident["remedy"], subject, old=False),
        not_checked=not_checked_text(incident["unchecked"]),
        history=tuple(map(_change, incident.get("history", []))),
        rule=f"{_rule(incident)}  class {incident['class']}  id {incident['id']}",
    )


def _rule(incident: dict[str, Any]) -> str:
    return f"{incident['rule']} (experimental)" if incident.get("experimental") else str(incident["rule"])


def _summary(incident: dict[str, Any]) -> str:
    """Empty where a piece of evidence says the same."""
    summary = " ".join((incident.get("summary") or "").rstrip("…").split())
    shown = (
        " ".join(piece["text"].split()) for piece in _once(incident["evidence"])[:_MOST_EVIDENCE] if "text" in piece
    )
    return "" if any(summary in text for text in shown) else summary


def _state(incident: dict[str, Any]) -> str:
    words = str(incident["state"])
    if incident["explained_by"]:
        cause = incident.get("explanation")
        words += f" by {_mention(cause)}" if cause else f" by incident {incident['explained_by']}"
    if incident["resolved"]:
        words += f" {stamp_text(incident['resolved'])}"
    if incident["acknowledged_by"]:
        words += f", acknowledged by {incident['acknowledged_by']}"
    return words


def _once(evidence: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of logs first; a fact that every round finds again stands once, or ten of them would hide the lines."""
    facts = {piece["summary"]: piece for piece in reversed(evidence) if "file" not in piece}
    first = [piece for piece in evidence if "file" not in piece and facts[piece["summary"]] is piece]
    return [*(piece for piece in evidence if "file" in piece), *first]


def _consequences(incident: dict[str, Any]) -> tuple[str, ...]:
    """By title and subject; an agent before this one gives their ids alone."""
    if "consequences" in incident:
        return tuple(_mention(one) for one in incident["consequences"])
    return tuple(f"incident {ident}" for ident in incident.get("explains", []))


def _mention(one: dict[str, Any]) -> str:
    return f"{one['title']} ({subject_text(one)}), incident {one['id']}"


def _seen(incident: dict[str, Any]) -> str:
    first, last = stamp_text(incident["first_seen"]), stamp_text(incident["last_seen"])
    return f"{first} to {last}, {count_text(incident['count'], 'time')}"


def _evidence(piece: dict[str, Any]) -> EvidenceText:
    if "file" not in piece:
        return EvidenceText((piece["summary"],))
    place = f"{piece['file']}:{piece['line']}" if piece["line"] else piece["file"]
    return EvidenceText(tuple(shortened(piece["text"], 4)), f"{one_line(place)}  {stamp_text(piece['at'])}".rstrip())


def _change(change: dict[str, Any]) -> str:
    return f"{stamp_text(change['at'])}  {change['what']} {printable(change['detail'])}".rstrip()
