"""The page to open at three in the morning: the host, what is open, and what the agent could not see."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from xenwatch.base.errors import StoreError
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import is_sentence
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.incident import Incident
from xenwatch.web.context import CONTEXT, WebContext
from xenwatch.web.site.checks import found_by
from xenwatch.web.site.host import headline, tiles
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings

_MOST_ROWS = 200
_ENDED_LATELY = 10
STATES: Mapping[str, tuple[str, ...]] = {
    "open": ("open",),
    "explained": ("explained",),
    "ended": ("resolved",),
    "any": ("open", "explained", "resolved"),
}
"""What the address may ask for as `state`, and the states that it means."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for: `q` is searched in titles, subjects, causes, rules and classes."""

    q: str
    severity: str
    subject: str
    state: str

    @property
    def is_some(self) -> bool:
        """Whether the page is of a part of what is open."""
        return bool(self.q or self.severity or self.subject) or self.state != "open"

    def takes(self, incident: Incident) -> bool:
        """Whatever its state."""
        diagnosis = incident.diagnosis
        if self.severity and SEVERITIES.index(diagnosis.severity) < SEVERITIES.index(self.severity):
            return False
        if self.subject and self.subject != str(diagnosis.subject):
            return False
        text = " ".join((diagnosis.title, str(diagnosis.subject), diagnosis.cause, diagnosis.rule, diagnosis.class_))
        return all(word in text.lower() for word in self.q.lower().split())


async def now(request: web.Request) -> web.Response:
    """The host, what is open, what to type first, and what the agent could not see."""
    context, wanted = request.app[CONTEXT], _wanted(request)
    every = context.incidents()
    found = [one for one in every if wanted.takes(one)]
    shown = [one for one in found if one.state in STATES[wanted.state]]
    if wanted.state == "ended":
        shown.sort(key=_ended_at, reverse=True)
    opened = [one for one in every if one.state == "open"]
    unseen = list(_unseen(context))
    readings, explains = Readings(context.snapshot()), Counter(one.explained_by for one in every)
    return page(
        request,
        "now.html",
        heading=_heading(wanted, shown, opened, is_sure=not (unseen or context.ready())),
        severities_open=_by_severity(opened),
        tiles=tiles(readings, context.lately("cpu_seconds")),
        headline=headline(readings, context.now()),
        incidents=[_row(one, explains, context.now()) for one in shown[:_MOST_ROWS]],
        left_out=len(shown[_MOST_ROWS:]),
        ended=[] if wanted.state in {"ended", "any"} else _ended(found, explains, context.now()),
        consent=await _waiting(context),
        checks_found=len(found_by(context.checks())),
        unseen=unseen,
        waiting=context.ready(),
        wanted=wanted,
        states=tuple(STATES),
        severities=SEVERITIES[::-1],
    )


def _wanted(request: web.Request) -> Wanted:
    """What is no severity or state of ours selects nothing."""
    q, severity, subject, state = (
        request.query.get(name, "").strip()[:200] for name in ("q", "severity", "subject", "state")
    )
    return Wanted(q, severity if severity in SEVERITIES else "", subject, state if state in STATES else "open")


def _heading(wanted: Wanted, shown: Sequence[Incident], opened: Sequence[Incident], *, is_sure: bool) -> str:
    """Never says that nothing is wrong while something could not be seen, or of a search that found nothing."""
    if wanted.is_some:
        kind = {"any": "incident", "ended": "ended incident"}.get(wanted.state, f"{wanted.state} incident")
        return f"{count_text(len(shown), kind)} found"
    if opened:
        return count_text(len(opened), "open incident")
    return "Nothing is wrong" if is_sure else "No incident is open, as far as can be seen"


def _by_severity(opened: Sequence[Incident]) -> list[tuple[str, int]]:
    """The worst first."""
    counts = Counter(one.diagnosis.severity for one in opened)
    return [(severity, counts[severity]) for severity in SEVERITIES[::-1] if counts[severity]]


def _unseen(context: WebContext) -> Iterator[str]:
    """What the agent is blind for now, in words."""
    for check in context.health():
        if not check.ok:
            yield f"{check.name} makes no progress{f' ({check.detail})' if check.detail else ''}"
    snapshot = context.snapshot()
    for health in snapshot.health.values() if snapshot is not None else ():
        if not health.ok:
            yield f"{health.collector} cannot be sampled{f' ({health.error})' if health.error else ''}"


def _ended(found: Sequence[Incident], explains: Mapping[str | None, int], now: float) -> list[dict[str, Any]]:
    over = sorted((one for one in found if one.state == "resolved"), key=_ended_at, reverse=True)
    return [_row(one, explains, now) for one in over[:_ENDED_LATELY]]


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
        "first_step": next((step for step in steps if not is_sentence(step)), None),
        "consequences": explains.get(incident.id, 0),
        "since": now - incident.opened,
        "seen": now - incident.last_seen,
        "ended": now - _ended_at(incident),
    }


def _ended_at(incident: Incident) -> float:
    return incident.resolved or incident.last_seen
