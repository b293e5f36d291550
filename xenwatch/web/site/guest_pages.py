"""The guests as in `xl list`, and one guest with all that carries it."""

from aiohttp import web

from xenwatch.web.context import CONTEXT
from xenwatch.web.site.guests import guest, guests
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings
from xenwatch.web.site.sparkline import sparkline
from xenwatch.web.trends import SPANS


async def all_guests(request: web.Request) -> web.Response:
    """Every domain with its state and how many incidents it has open."""
    context = request.app[CONTEXT]
    troubles: dict[str, int] = {}
    for incident in context.incidents():
        if incident.state == "open" and incident.diagnosis.subject.kind == "domain":
            name = incident.diagnosis.subject.name
            troubles[name] = troubles.get(name, 0) + 1
    return page(request, "guests.html", guests=guests(Readings(context.snapshot())), troubles=troubles)


async def one_guest(request: web.Request) -> web.Response:
    """A guest: its disks and interfaces down to the volume group and the bridge, and its incidents."""
    context = request.app[CONTEXT]
    name = request.match_info["name"]
    found = guest(Readings(context.snapshot()), name)
    its_own = [i for i in context.incidents() if str(i.diagnosis.subject) == f"domain/{name}"]
    if found is None and not its_own:
        return page(request, "gone.html", status=404, what=f"guest {name[:80]}")
    span = request.query.get("span", "day")
    span = span if span in SPANS else "day"
    lines = [sparkline(trend) for trend in context.trends(name, span)]
    return page(
        request, "guest.html", guest=found, name=name, incidents=its_own, lines=lines, span=span, spans=tuple(SPANS)
    )
