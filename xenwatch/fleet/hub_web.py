"""What a hub serves: metrics with one series for each cause, the API, and the hosts as targets for Prometheus."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry

from xenwatch.fleet.host_report import HostIncident
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.hub_html import AGAIN, POLICY, STYLE
from xenwatch.fleet.hub_metrics import HubMetrics
from xenwatch.fleet.hub_page import actions, cause_page, fleet_page
from xenwatch.fleet.incident import FleetIncident

HUB = web.AppKey("hub", Hub)


def hub_app(hub: Hub) -> web.Application:
    """Reads only: nothing that is asked of it changes anything."""
    app = web.Application()
    app[HUB] = hub
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/healthz", _health)
    app.router.add_get("/fleet/incidents", _incidents)
    app.router.add_get("/fleet/incidents/{id}", _incident)
    app.router.add_get("/fleet/hosts", _hosts)
    app.router.add_get("/fleet/targets", _targets)
    app.router.add_get("/fleet/actions", _actions)
    app.router.add_get("/", _page)
    app.router.add_get("/incidents/{id}", _cause)
    app.router.add_get("/style.css", _style)
    return app


async def _health(request: web.Request) -> web.Response:
    """503 while the hub does not see etcd: what it serves is then what it last knew."""
    hub = request.app[HUB]
    body = {"current": hub.view.is_current, "leader": hub.is_leader}
    return web.json_response(body, status=200 if hub.view.is_current else 503)


async def _incidents(request: web.Request) -> web.Response:
    fleet = request.app[HUB].view.fleet.values()
    return web.json_response({"version": 1, "incidents": [asdict(i) for i in sorted(fleet, key=_order)]})


async def _incident(request: web.Request) -> web.Response:
    """One, with what is known of its children."""
    hub = request.app[HUB]
    incident = hub.view.fleet.get(request.match_info["id"])
    if incident is None:
        raise web.HTTPNotFound(text="no incident of the fleet has this id\n")
    known = {f"{child.host}/{child.id}": child for child in hub.view.incidents.values()}
    children = [_child(known[name]) for name in incident.children if name in known]
    return web.json_response({"version": 1, **asdict(incident), "children": children})


async def _hosts(request: web.Request) -> web.Response:
    view = request.app[HUB].view
    counts: dict[str, int] = {}
    for incident in view.incidents.values():
        counts[incident.host] = counts.get(incident.host, 0) + incident.is_open
    hosts = [{"host": name, **about, "open": counts.get(name, 0)} for name, about in sorted(view.hosts.items())]
    return web.json_response({"version": 1, "hosts": hosts})


async def _targets(request: web.Request) -> web.Response:
    """Prometheus' http_sd: each host that says where its metrics are, and for a day each one that left."""
    return web.json_response(request.app[HUB].targets.listed())


async def _actions(request: web.Request) -> web.Response:
    """What acts now and what holds it back: leases, slots, maintenance, the storm."""
    return web.json_response({"version": 1, **actions(request.app[HUB].view)})


async def _page(request: web.Request) -> web.Response:
    """For people."""
    return _for_people(fleet_page(request.app[HUB]))


async def _cause(request: web.Request) -> web.Response:
    """One cause, for people."""
    hub = request.app[HUB]
    incident = hub.view.fleet.get(request.match_info["id"])
    if incident is None:
        raise web.HTTPNotFound(text="no incident of the fleet has this id: it may have been over for a day\n")
    return _for_people(cause_page(hub, incident))


def _for_people(text: str) -> web.Response:
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    headers["Refresh"] = AGAIN
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


async def _style(_request: web.Request) -> web.Response:
    return web.Response(text=STYLE, content_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def _metrics(request: web.Request) -> web.Response:
    registry = CollectorRegistry()
    registry.register(HubMetrics(request.app[HUB]))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4"})


def _child(child: HostIncident) -> Mapping[str, Any]:
    body = asdict(child)
    body["class"] = body.pop("class_")
    return body


def _order(incident: FleetIncident) -> tuple[bool, str]:
    return not incident.is_open, incident.id
