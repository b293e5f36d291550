"""The guests as in `xl list`, and one guest with all that carries it."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from xenwatch.model.incident import Incident
from xenwatch.web.context import CONTEXT
from xenwatch.web.sessions import SESSIONS
from xenwatch.web.site.guests import GuestView, guest, guests
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings
from xenwatch.web.site.remediation import runs_on
from xenwatch.web.site.sparkline import Sparkline, sparkline, tiny
from xenwatch.web.trends import SPANS

_MOST_ROWS = 500

Row = tuple[GuestView, Sparkline | None, float, int]
"""A guest, its cpu over the last hour, what it uses now in cpus (NaN: not known), and how many incidents it has."""
SORTS: Mapping[str, Callable[[Row], Any]] = {
    "name": lambda row: (row[0].name != "Domain-0", row[0].name),
    "cpu": lambda row: -row[2] if row[2] == row[2] else 1.0,
    "memory": lambda row: -(row[0].memory or 0.0),
    "incidents": lambda row: -row[3],
}
"""What the address may ask for as `sort`."""


async def all_guests(request: web.Request) -> web.Response:
    """Every domain with its state, what it uses, and how many incidents it has open; `q` and `sort` select."""
    context = request.app[CONTEXT]
    words = request.query.get("q", "").strip()[:200]
    sort = request.query.get("sort", "name")
    lately, troubles = context.lately("cpu_seconds"), _troubles(context.incidents())
    every = guests(Readings(context.snapshot()))
    found = [one for one in every if all(word in _text(one) for word in words.lower().split())]
    rows = [_row(one, lately.get(one.name, ()), troubles[one.name]) for one in found]
    rows.sort(key=SORTS.get(sort, SORTS["name"]))
    return page(
        request, "guests.html", rows=rows[:_MOST_ROWS], left_out=len(rows[_MOST_ROWS:]), found=len(rows),
        total=len(every), absent=_absent(troubles, every), words=words,
        sort=sort if sort in SORTS else "name", sorts=tuple(SORTS),
    )  # fmt: skip


def _absent(troubles: Mapping[str, int], every: Sequence[GuestView]) -> list[tuple[str, int]]:
    """Guests with open incidents that the toolstack does not list: those are who somebody looks for here."""
    there = {one.name for one in every}
    return sorted((name, count) for name, count in troubles.items() if name not in there and name != "unknown")


def _row(one: GuestView, lately: Sequence[float], troubles: int) -> Row:
    return one, tiny(one.name, lately), lately[-1] if lately else math.nan, troubles


def _troubles(incidents: Sequence[Incident]) -> Counter[str]:
    """By guest, how many of its incidents are open."""
    opened = (one.diagnosis.subject for one in incidents if one.state == "open")
    return Counter(subject.name for subject in opened if subject.kind == "domain" and not subject.host)


def _text(one: GuestView) -> str:
    carried = [part for disk in one.disks for part in disk.chain] + [nic.bridge for nic in one.nics]
    macs = [nic.mac for nic in one.nics]
    return " ".join((one.name, one.state, one.kind, one.uuid, f"domid {one.domid}", *carried, *macs)).lower()


async def one_guest(request: web.Request) -> web.Response:
    """A guest: its disks and interfaces down to the volume group and the bridge, its incidents, runs and logs."""
    context = request.app[CONTEXT]
    name = request.match_info["name"]
    found = guest(Readings(context.snapshot()), name)
    its_own = [i for i in context.incidents() if str(i.diagnosis.subject) == f"domain/{name}"]
    if found is None and not its_own:
        return page(request, "gone.html", status=404, what=f"guest {name[:80]}")
    span = request.query.get("span", "day")
    span = span if span in SPANS else "day"
    is_somebody = request.app[SESSIONS].of(request) is not None
    return page(
        request,
        "guest.html",
        guest=found,
        name=name,
        incidents=its_own,
        lines=[sparkline(trend) for trend in context.trends(name, span)],
        span=span,
        spans=tuple(SPANS),
        runs=await runs_on(context.remediation, name),
        has_logs=context.logs is not None,
        logs=await context.logs(name) if context.logs is not None and is_somebody else (),
    )
