"""The hub's pages for people: causes with their hosts, what acts now and what holds it back, the hosts, one cause."""

import json
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from xenwatch.base.plurals import count_text
from xenwatch.fleet.claims import LEASES, MAINTENANCE
from xenwatch.fleet.host_report import HostIncident
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.hub_html import document, link, table
from xenwatch.fleet.incident import FleetIncident
from xenwatch.fleet.storm import STORM
from xenwatch.fleet.view import FleetView

_MOST_HOSTS = 60
_MOST_CHILDREN = 500


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
    """The whole fleet. Whatever a host or a person wrote is text in it, never markup."""
    fleet = sorted(hub.view.fleet.values(), key=lambda one: (not one.is_open, -len(one.hosts)))
    heads = ("Cause", "In common", "Hosts, the first one first", "Spreading")
    causes = table("Causes", heads, [_cause(hub, one) for one in fleet])
    nothing = "<p>No cause outside of the hosts is known.</p>"
    parts = (_warning(hub), causes if fleet else nothing, _acting(hub.view), _hosts(hub.view))
    return document("The fleet", parts, now=_stamp(hub.now))


def cause_page(hub: Hub, incident: FleetIncident) -> str:
    """One cause with what shows it: the incidents of its hosts, each with a link where the host says where it is."""
    known = {f"{child.host}/{child.id}": child for child in hub.view.incidents.values()}
    children = [known[name] for name in incident.children[:_MOST_CHILDREN] if name in known]
    kind, state = escape(incident.severity), "open" if incident.is_open else f"over ({incident.state})"
    steps = "".join(f"<li><code>{escape(step)}</code></li>" for step in hub.verify(incident.rule))
    rows = [_child(hub.view, child) for child in children]
    as_json = f"/fleet/incidents/{quote(incident.id, safe='')}"
    gone = len(incident.children) - len(children)
    parts = (
        _warning(hub),
        f'<p><strong class="{kind}">{kind}</strong>, {escape(state)}, {_spread(hub, incident)}</p>',
        f"<p>{escape(incident.cause)}</p><p>In common: <code>{escape(incident.key)}</code></p>",
        f"<h2>Verify</h2><ul>{steps}</ul>" if steps else "",
        f"<h2>{count_text(len(incident.hosts), 'host')}, the first one first</h2>",
        f"<p>{', '.join(_host(hub.view, name) for name in incident.hosts)}</p>",
        "<h2>Their incidents</h2>",
        table("Incidents", ("Host", "Incident", "Subject", "Severity", "State", "Since"), rows) if rows else "",
        f"<p class=quiet>{gone} more are over and forgotten, or not shown.</p>" if gone else "",
        f"<p class=quiet>Rule {escape(incident.rule)}, {link(as_json, 'as JSON')}.</p>",
    )
    return document(incident.title, parts, now=_stamp(hub.now))


def _warning(hub: Hub) -> str:
    is_current = hub.view.is_current
    return "" if is_current else '<p class="critical">etcd does not answer: this is what was last known.</p>'


def _cause(hub: Hub, incident: FleetIncident) -> tuple[str, ...]:
    more = len(incident.hosts) - _MOST_HOSTS
    hosts = ", ".join(_host(hub.view, name) for name in incident.hosts[:_MOST_HOSTS])
    kind = incident.severity if incident.is_open else "quiet"
    title = link(f"/incidents/{quote(incident.id, safe='')}", incident.title, kind)
    return (
        f"{title}<br>{escape(incident.cause)}",
        escape(incident.key),
        f"<b>{len(incident.hosts)}</b>: {hosts}" + (f" and {more} more" if more > 0 else ""),
        _spread(hub, incident) if incident.is_open else escape(incident.state),
    )


def _spread(hub: Hub, incident: FleetIncident) -> str:
    gained = hub.spread.gained(incident.id)
    return f"{count_text(gained, 'more host')} in ten minutes" if gained else "no new host in ten minutes"


def _child(view: FleetView, child: HostIncident) -> tuple[str, ...]:
    address = view.hosts.get(child.host, {}).get("pages", "")
    page = f"{address}/incidents/{quote(child.id, safe='')}" if address else ""
    return (
        _host(view, child.host), link(page, child.summary or child.rule), escape(child.subject),
        f'<span class="{escape(child.severity)}">{escape(child.severity)}</span>', escape(child.state),
        _stamp(child.opened),
    )  # fmt: skip


def _host(view: FleetView, name: str) -> str:
    """By its own address, where it has told one."""
    return link(view.hosts.get(name, {}).get("pages", ""), name)


def _acting(view: FleetView) -> str:
    shown = actions(view)
    parts = ["<h2>Repairs</h2>"]
    if shown["storm"]:
        parts.append(f'<p class="critical">A storm: {escape(shown["storm"])}. Nothing starts by itself.</p>')
    parts += [f"<p>In {escape(one.get('words', ''))}</p>" for one in shown["maintenance"]]
    rows = [tuple(escape(str(slot[name])) for name in ("action", "target", "host", "run")) for slot in shown["slots"]]
    heads = ("Action", "Target", "Host", "Run")
    parts.append(table("Repairs", heads, rows) if rows else "<p>No run holds a slot.</p>")
    return "".join(parts)


def _hosts(view: FleetView) -> str:
    open_ = [incident.host for incident in view.incidents.values() if incident.is_open]
    rows = [
        (_host(view, name), escape(about.get("xenwatch", "")), escape(about.get("kernel", "")), str(open_.count(name)))
        for name, about in sorted(view.hosts.items())
    ]
    return "<h2>Hosts</h2>" + table("Hosts", ("Host", "xenwatch", "Kernel", "Open incidents"), rows)


def _body(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        return {"words": text[:200]}


def _stamp(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""
