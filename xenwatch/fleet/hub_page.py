"""The hub's page for people: causes with their hosts, what acts now and what holds it back, and the hosts."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from xenwatch.fleet.claims import LEASES, MAINTENANCE
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.incident import FleetIncident
from xenwatch.fleet.storm import STORM
from xenwatch.fleet.view import FleetView

_MOST_HOSTS = 60
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="15">
<meta name="viewport" content="width=device-width"><title>xenwatch fleet</title>
<style>body{font:15px/1.4 system-ui;margin:1.5rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;
vertical-align:top}.critical{color:#a00}.quiet{color:#666}</style>
"""


def actions(view: FleetView) -> dict[str, Any]:
    """What acts now and what holds it back."""
    marks = view.marks
    return {
        "storm": marks.get(STORM),
        "slots": [
            {"slot": slot.number, "host": slot.host, "run": slot.run, "target": slot.target, "action": slot.action}
            for slot in view.slots()
        ],
        "leases": sorted(key.removeprefix(LEASES) for key in marks if key.startswith(LEASES)),
        "maintenance": [_body(text) for key, text in sorted(marks.items()) if key.startswith(MAINTENANCE)],
    }


def fleet_page(hub: Hub) -> str:
    """The whole page. Whatever a host or a person wrote is text in it, never markup."""
    fleet = sorted(hub.view.fleet.values(), key=lambda one: (not one.is_open, -len(one.hosts)))
    known = "" if hub.view.is_current else "<p class=critical>etcd does not answer: this is what was last known.</p>"
    causes = _table(("Cause", "In common", "Hosts, the first one first", "Spreading"), [_cause(hub, i) for i in fleet])
    nothing = "<p>No cause outside of the hosts is known.</p>"
    return "".join(
        (_HEAD, "<h1>The fleet</h1>", known, causes if fleet else nothing, _acting(hub.view), _hosts(hub.view))
    )


def _cause(hub: Hub, incident: FleetIncident) -> tuple[str, ...]:
    hosts = ", ".join(incident.hosts[:_MOST_HOSTS])
    more = len(incident.hosts) - _MOST_HOSTS
    gained = hub.spread.gained(incident.id)
    state = f"{gained} more hosts in ten minutes" if gained else "no new host in ten minutes"
    kind = incident.severity if incident.is_open else "quiet"
    title = f'<a class="{escape(kind)}" href="/fleet/incidents/{escape(incident.id)}">{escape(incident.title)}</a>'
    return (
        f"{title}<br>{escape(incident.cause)}",
        escape(incident.key),
        f"<b>{len(incident.hosts)}</b>: {escape(hosts)}" + (f" and {more} more" if more > 0 else ""),
        escape(state if incident.is_open else incident.state),
    )


def _acting(view: FleetView) -> str:
    shown = actions(view)
    parts = ["<h2>Repairs</h2>"]
    if shown["storm"]:
        parts.append(f"<p class=critical>A storm: {escape(shown['storm'])}. Nothing starts by itself.</p>")
    parts += [f"<p>In {escape(one.get('words', ''))}</p>" for one in shown["maintenance"]]
    rows = [tuple(escape(str(slot[name])) for name in ("action", "target", "host", "run")) for slot in shown["slots"]]
    parts.append(_table(("Action", "Target", "Host", "Run"), rows) if rows else "<p>No run holds a slot.</p>")
    return "".join(parts)


def _hosts(view: FleetView) -> str:
    open_ = [incident.host for incident in view.incidents.values() if incident.is_open]
    rows = [
        (escape(name), escape(about.get("xenwatch", "")), escape(about.get("kernel", "")), str(open_.count(name)))
        for name, about in sorted(view.hosts.items())
    ]
    return "<h2>Hosts</h2>" + _table(("Host", "xenwatch", "Kernel", "Open incidents"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{head}</th>" for head in heads)
    return f"<table><tr>{head}</tr>{''.join(map(_row, rows))}</table>"


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _body(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        return {"words": text[:200]}
