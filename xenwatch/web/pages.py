"""The start page: links and the open incidents, for a user with a browser."""

from html import escape

from aiohttp import web

from xenwatch import __version__
from xenwatch.model.incident import Incident
from xenwatch.web.context import CONTEXT
from xenwatch.web.incident_json import stamp

_MOST_ROWS = 100
_LINKS = (
    ("/metrics", "for Prometheus"),
    (
        "/api/v1/incidents",
        "all incidents with their causes; filters are state, severity, class, rule, kind, name, limit",
    ),
    ("/api/v1/status", "what the agent reads and samples, and its rules"),
    ("/healthz", "whether every part makes progress"),
    ("/readyz", "whether the logs have been read and the host sampled once"),
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #8884}.critical,.error{color:#c33}.warning{color:#b60}"
)


async def index(request: web.Request) -> web.Response:
    """Everything a guest may have written is escaped."""
    open_incidents = [i for i in request.app[CONTEXT].incidents() if i.state == "open"]
    rows = "".join(map(_row, open_incidents[:_MOST_ROWS])) or '<tr><td colspan="4">none</td></tr>'
    links = "".join(f'<li><a href="{path}">{path}</a>: {words}</li>' for path, words in _LINKS)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>xenwatch</title><style>{_STYLE}</style>'
        f"<h1>xenwatch {__version__}</h1><ul>{links}</ul><h2>Open incidents ({len(open_incidents)})</h2>"
        f"<table><tr><th>Severity<th>Subject<th>Summary and cause<th>Last seen (UTC)</tr>{rows}</table></html>"
    )
    return web.Response(text=page, content_type="text/html")


def _row(incident: Incident) -> str:
    diagnosis = incident.diagnosis
    return (
        f'<tr><td class="{diagnosis.severity}">{diagnosis.severity}<td>{escape(str(diagnosis.subject))}'
        f"<td><b>{escape(diagnosis.summary)}</b><br>{escape(diagnosis.cause)}<td>{stamp(incident.last_seen) or ''}</tr>"
    )
