"""The JSON side: health, readiness, status and incidents."""

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from xenwatch.base.slices import by_turns
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.incident import MOVES, Incident, RemarkKind
from xenwatch.model.public_json import public_relations
from xenwatch.web.body import json_object
from xenwatch.web.context import CONTEXT
from xenwatch.web.incident_json import incident_json, incident_row, stamp
from xenwatch.web.remarks import remark_of
from xenwatch.web.server.local_users import WRITER, from_this_machine

MOST_ROWS = 1000
SLICE = 5
"""Incidents that are put in words between two pauses: about a millisecond."""

_FILTERS: dict[str, Callable[[Incident], str]] = {
    "state": lambda i: i.state,
    "rule": lambda i: i.diagnosis.rule,  # or a former id of it
    "class": lambda i: i.diagnosis.class_,
    "kind": lambda i: i.diagnosis.subject.kind,
    "name": lambda i: i.diagnosis.subject.name,
}
_RANK: dict[str, int] = {name: rank for rank, name in enumerate(SEVERITIES)}
_WORDS = {"state": tuple(MOVES), "severity": SEVERITIES}


async def healthz(request: web.Request) -> web.Response:
    """200 while every part makes progress, 503 otherwise."""
    checks = request.app[CONTEXT].health()
    ok = all(check.ok for check in checks)
    body = {
        "ok": ok,
        "checks": [
            {"name": c.name, "ok": c.ok, "age_seconds": None if c.age is None else round(c.age, 1), "detail": c.detail}
            for c in checks
        ],
    }
    return web.json_response(body, status=200 if ok else 503)


async def readyz(request: web.Request) -> web.Response:
    """200 once logs are followed and the first sampling cycle is over, 503 before."""
    waiting = request.app[CONTEXT].ready()
    return web.json_response({"ready": waiting is None, "waiting_for": waiting}, status=503 if waiting else 200)


async def status(request: web.Request) -> web.Response:
    """What the agent reads, samples and knows."""
    return web.json_response(request.app[CONTEXT].status())


async def incidents(request: web.Request) -> web.Response:
    """The incidents that pass every filter given, most likely root cause first."""
    query = request.query
    unknown = sorted(set(query) - {*_FILTERS, "severity", "limit", "full"})
    if unknown:
        raise web.HTTPBadRequest(
            text=f"unknown filter {unknown[0]!r}; filters are: {', '.join([*_FILTERS, 'severity', 'limit', 'full'])}"
        )
    for key, words in _WORDS.items():
        if key in query and query[key] not in words:
            raise web.HTTPBadRequest(text=f"{key} must be one of {', '.join(words)}")
    limit = _limit(query.get("limit", str(MOST_ROWS)))
    matching = [i for i in request.app[CONTEXT].incidents() if all(_passes(i, k, v) for k, v in query.items())]
    show = incident_json if "full" in query else incident_row
    shown = await by_turns(_each(matching[:limit], show))
    body = f'{{"version": 1, "total": {len(matching)}, "incidents": [{", ".join(shown)}]}}'
    return web.json_response(text=body)


async def incident(request: web.Request) -> web.Response:
    """One incident in full, with its history and what it explains; an unambiguous start of its id is enough."""
    context = request.app[CONTEXT]
    match = _find(context.incidents(), request.match_info["id"])
    history = await context.history(match.id)
    body = {
        **incident_json(match),
        **public_relations(match, context.incidents()),
        "history": [{"at": stamp(h.at), "what": h.what, "detail": h.detail} for h in history],
    }
    return web.json_response({"version": 1, "incident": body})


async def acknowledge(request: web.Request) -> web.Response:
    """`{"by": NAME}` says that a user looks after it, for `seconds` and with a `text` where those are given."""
    return await _remark(request, "acknowledged")


async def remark(request: web.Request) -> web.Response:
    """`{"by": NAME, "what": KIND, "text": …}`: a note, a verdict, an acknowledgement or its end, or the end by hand."""
    return await _remark(request, None)


async def _remark(request: web.Request, what: RemarkKind | None) -> web.Response:
    """From this machine only, and never from a web page. The name in it counts where the connection proves no other."""
    if not from_this_machine(request):
        raise web.HTTPForbidden(text="an incident can be acknowledged only from the machine that runs the agent")
    # A browser sends JSON to another site only after a preflight request, which the agent never answers.
    if request.content_type != "application/json" or "Origin" in request.headers:
        raise web.HTTPUnsupportedMediaType(text="send application/json, and do not send it from a web page")
    wanted = _find(request.app[CONTEXT].incidents(), request.match_info["id"])
    context = request.app[CONTEXT]
    body = await json_object(request, request.client_max_size)
    said = remark_of(body if what is None else {**body, "what": what}, context.now())
    changed = context.remark(wanted.id, replace(said, who=request.get(WRITER, said.who)))
    if changed is None:
        raise web.HTTPNotFound(text=f"there is no incident {wanted.id!r}")
    return web.json_response({"version": 1, "incident": incident_json(changed)})


ROUTES = (
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
    web.get("/api/v1/status", status),
    web.get("/api/v1/incidents", incidents),
    web.get("/api/v1/incidents/{id}", incident),
    web.post("/api/v1/incidents/{id}/acknowledge", acknowledge),
    web.post("/api/v1/incidents/{id}/remarks", remark),
)


def _each(incidents: Iterable[Incident], show: Callable[[Incident], Any]) -> Generator[None, None, list[str]]:
    """The JSON of each. Who asks for all again and again must not keep the others waiting."""
    shown: list[str] = []
    for incident in incidents:
        shown.append(json.dumps(show(incident)))
        if len(shown) % SLICE == 0:
            yield
    return shown


def _passes(incident: Incident, key: str, wanted: str) -> bool:
    if key == "severity":  # that one or worse
        return _RANK[incident.diagnosis.severity] >= _RANK[wanted]
    if key == "rule" and wanted in incident.diagnosis.aliases:
        return True
    return key not in _FILTERS or _FILTERS[key](incident) == wanted


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= MOST_ROWS:
        raise web.HTTPBadRequest(text=f"limit must be a number from 1 to {MOST_ROWS}")
    return int(text)


def _find(incidents: Sequence[Incident], wanted: str) -> Incident:
    close = [i for i in incidents if i.id.startswith(wanted)]
    exact = [i for i in close if i.id == wanted] or close
    if len(exact) != 1:
        raise web.HTTPNotFound(text=f"{len(exact)} incidents have an id that starts with {wanted!r}")
    return exact[0]
