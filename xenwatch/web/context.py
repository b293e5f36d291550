"""What the web shows: callables and values that the agent hands in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.operation import Operation
from xenwatch.model.sample import Sample, Snapshot
from xenwatch.web.exposition import Exposition
from xenwatch.web.remediation_api import RemediationSite
from xenwatch.web.trends import Trend


@dataclass(frozen=True, slots=True)
class PartHealth:
    """Whether one part of the agent makes progress. `age`: seconds since the last, None before the first."""

    name: str
    ok: bool
    age: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of an incident's history."""

    at: float
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """What a rule can tell, as its page shows it."""

    id: str
    class_: str
    severity: str
    title: str
    cause: str
    impact: str
    verify: tuple[str, ...]
    remedy: tuple[str, ...]
    messages: tuple[str, ...]
    """The messages that it knows, as the source prints them."""
    references: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StandingCheck:
    """A check of a host that is well, as it was made last: it found something, facts were missing, or all is well."""

    id: str
    found: tuple[Diagnosis, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of one log."""

    path: str
    lines: tuple[str, ...]
    by_guest: bool
    """Whether the guest chooses what stands there."""


@dataclass(frozen=True, slots=True)
class WebContext:
    """The agent as the web layer sees it. Nothing here may block."""

    exposition: Exposition
    health: Callable[[], Sequence[PartHealth]]
    ready: Callable[[], str | None]
    """None when ready; otherwise what is still waited for."""
    incidents: Callable[[], Sequence[Incident]]
    """All of them, most likely root cause first."""
    version: Callable[[], int]
    """Higher after each change of an incident."""
    history: Callable[[str], Awaitable[Sequence[HistoryEntry]]]
    """Of the incident with this id, oldest first."""
    remark: Callable[[str, Remark], Incident | None]
    """(id, what a person says or does) → the incident as it is now; None where there is none."""
    status: Callable[[], Mapping[str, Any]]
    snapshot: Callable[[], Snapshot | None]
    """The last sampling cycle; None before the first is over."""
    trends: Callable[[str, str], Sequence[Trend]]
    """What is remembered of the numbers of the guest of this name, over this span (day, week)."""
    failures: Callable[[], Sequence[KnownFailure]]
    """All that the rules know, by id."""
    remediation: RemediationSite | None
    """None where it is off."""
    now: Callable[[], float]
    """Seconds since 1970."""
    pools: Callable[[], Mapping[str, Sequence[Sample]]] = dict
    """Of each pool that is watched, by name: the last cycle."""
    host: str = ""
    """What the watched host calls itself: whoever has several of these pages open must see which is which."""
    lately: Callable[[str], Mapping[str, Sequence[float]]] = lambda _series: {}
    """A series of trends (`cpu_seconds`) over the last hour, by guest; NaN where nothing was known."""
    operation: Callable[[str], Operation | None] = lambda _id: None
    """The operation with this id, where it is still known."""
    checks: Callable[[], Sequence[StandingCheck]] = tuple
    """All standing checks of this host; nothing before they were made, or on a machine without Xen."""
    logs: Callable[[str], Awaitable[Sequence["LogTail"]]] | None = None
    """The last lines of the logs that are about the guest of this name; None where nobody reads logs."""


CONTEXT = web.AppKey("context", WebContext)
"""Where an application keeps what its handlers show."""
