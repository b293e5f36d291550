"""The page of one incident: why, how it is known, what follows from it, what to type."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aiohttp import web

from xenwatch.model.diagnosis import Evidence, distinct
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.operation import Operation
from xenwatch.model.public_json import public_evidence
from xenwatch.model.record import LogRecord
from xenwatch.model.sample import Sample
from xenwatch.web.context import CONTEXT, WebContext
from xenwatch.web.site.incident_forms import SPANS
from xenwatch.web.site.page import page, utc
from xenwatch.web.site.readings import value_text
from xenwatch.web.site.remediation import runs_about

_MOST_EVIDENCE = 200
_SHOWN_AT_ONCE = 8
"""The rest is folded, so that what to do is not below a screenful of lines."""


async def incident(request: web.Request) -> web.Response:
    """One incident whole."""
    context = request.app[CONTEXT]
    known = context.incidents()
    found = next((i for i in known if i.id == request.match_info["id"]), None)
    if found is None:
        return page(request, "gone.html", status=404, what=f"incident {request.match_info['id'][:80]}")
    history = await context.history(found.id)
    consequences = [i for i in known if i.explained_by == found.id]
    return page(
        request,
        "incident.html",
        incident=found,
        diagnosis=found.diagnosis,
        timeline=_timeline(found, consequences),
        shown_at_once=_SHOWN_AT_ONCE,
        left_out=max(0, len(found.diagnosis.evidence) - _MOST_EVIDENCE),
        operations=_operations(context, found),
        consequences=consequences,
        cause=next((i for i in known if i.id == found.explained_by), None),
        history=history,
        spans=SPANS,
        runs=await runs_about(context.remediation, found.id),
    )


def _timeline(found: Incident, consequences: Sequence[Incident]) -> list[dict[str, Any]]:
    """Evidence and what followed from it, in the order of time."""
    shown = found.diagnosis.evidence[:_MOST_EVIDENCE]
    moments = _once(
        sorted(zip((piece.at for piece in distinct(shown)), _told(shown), strict=True), key=lambda one: one[0])
    )
    moments += [(one.opened, {"kind": "consequence", "at": utc(one.opened), "incident": one}) for one in consequences]
    return [told for _, told in sorted(moments, key=lambda moment: moment[0])]


def _once(moments: Iterable[tuple[float, dict[str, Any]]]) -> list[tuple[float, dict[str, Any]]]:
    """A number or fact that every round finds again stands once, with how often it was the same, and until when."""
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    kept = []
    for at, told in moments:
        key = (told["kind"], told["text"], told.get("metric"), told.get("labels"))
        before = first.get(key) if told["kind"] != "line" else None
        if before is None:
            first[key] = told
            kept.append((at, told))
        else:
            before |= {"again": before.get("again", 0) + 1, "until": told["at"]}
    return kept


def _told(evidence: Sequence[Evidence]) -> Iterator[dict[str, Any]]:
    """Each piece as the page shows it: a line with its place, a number, or words."""
    for piece, public in zip(distinct(evidence), public_evidence(evidence, utc), strict=True):
        told: dict[str, Any] = {"kind": "words", "at": public["at"], "phase": piece.phase, "text": public["summary"]}
        told["again"], told["until"] = 0, None
        match piece.origin:
            case LogRecord():
                told |= {"kind": "line", "text": public["text"], "file": public["file"], "line": public["line"]}
                told["by_guest"] = piece.origin.source.format.guest_written
            case Sample():
                labels = ", ".join(f"{name} {value}" for name, value in public["labels"].items() if value)
                told |= {"kind": "number", "metric": public["metric"], "labels": labels}
                told["text"] = value_text(public["metric"], public["value"])
            case Fact():
                told["kind"] = "fact"
        yield told


def _operations(context: WebContext, found: Incident) -> list[Operation]:
    """What was being done when it was seen."""
    asked = (context.operation(id_) for id_ in sorted(found.diagnosis.operations))
    known = [one for one in asked if one is not None]
    return [one for one in known if one.verb] or known[:1]
