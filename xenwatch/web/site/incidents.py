"""The page to open at three in the morning, and the page of one incident."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from xenwatch.base.errors import StoreError
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.incident import Incident
from xenwatch.model.public_json import public_evidence
from xenwatch.web.context import CONTEXT, WebContext
from xenwatch.web.site.host import headline, tiles
from xenwatch.web.site.incident_forms import SPANS
from xenwatch.web.site.page import page, utc
from xenwatch.web.site.readings import Readings
from xenwatch.web.site.remediation import runs_about

_MOST_ROWS = 200
_MOST_EVIDENCE = 200


async def now(request: web.Request) -> web.Response:
    """The host, what is open, what to type first, and what the agent could not see."""
    context = request.app[CONTEXT]
    wanted = _filters(request)
    incidents = [i for i in context.incidents() if _passes(i, wanted)]
    root_causes = [i for i in incidents if i.state == "open"]
    readings, explains = Readings(context.snapshot()), Counter(i.explained_by for i in incidents)
    return page(
        request,
        "now.html",
        tiles=tiles(readings),
        headline=headline(readings, context.now()),
        incidents=[_row(i, explains, context.now()) for i in root_causes[:_MOST_ROWS]],
        total=len(root_causes),
        ended=[_row(i, explains, context.now()) for i in incidents if i.state == "resolved"][:10],
        consent=await _waiting(context),
        health=[check for check in context.health() if not check.ok],
        waiting=context.ready(),
        wanted=wanted,
        severities=SEVERITIES[::-1],
    )


async def incident(request: web.Request) -> web.Response:
    """One incident whole: why, how it is known, what follows from it, what to type."""
    context = request.app[CONTEXT]
    known = context.incidents()
    found = next((i for i in known if i.id == request.match_info["id"]), None)
    if found is None:
        return page(request, "gone.html", status=404, what=f"incident {request.match_info['id'][:80]}")
    history = await context.history(found.id)
    return page(
        request,
        "incident.html",
        incident=found,
        diagnosis=found.diagnosis,
        evidence=list(public_evidence(found.diagnosis.evidence, utc))[:_MOST_EVIDENCE],
        consequences=[i for i in known if i.explained_by == found.id],
        cause=next((i for i in known if i.id == found.explained_by), None),
        history=history,
        spans=SPANS,
        runs=await runs_about(context.remediation, found.id),
    )


async def _waiting(context: WebContext) -> int:
    """Proposals that wait for a person."""
    try:
        return 0 if context.remediation is None else len((await context.remediation.overview()).waiting)
    except StoreError:
        return 0  # the page about remediation says it


def _row(incident: Incident, explains: Mapping[str | None, int], now: float) -> dict[str, Any]:
    steps = [*incident.diagnosis.verify, *incident.diagnosis.remedy]
    return {
        "incident": incident,
        "diagnosis": incident.diagnosis,
        "first_step": next((step for step in steps if not step[:1].isupper()), None),
        "consequences": explains.get(incident.id, 0),
        "since": now - incident.opened,
        "seen": now - incident.last_seen,
    }


def _filters(request: web.Request) -> dict[str, str]:
    """What the address asks for: `q` is searched in titles, subjects, causes and rules."""
    return {name: request.query.get(name, "").strip()[:200] for name in ("q", "severity", "subject")}


def _passes(incident: Incident, wanted: dict[str, str]) -> bool:
    diagnosis = incident.diagnosis
    least = wanted["severity"]
    if least in SEVERITIES and SEVERITIES.index(diagnosis.severity) < SEVERITIES.index(least):
        return False
    if wanted["subject"] and wanted["subject"] != str(diagnosis.subject):
        return False
    text = " ".join((diagnosis.title, str(diagnosis.subject), diagnosis.cause, diagnosis.rule, diagnosis.class_))
    return all(word in text.lower() for word in wanted["q"].lower().split())
