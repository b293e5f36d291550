"""Silences in Alertmanager: who acknowledges an incident is not paged for it, until a moment that is always given."""

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xenwatch.base.atomic_file import write_atomically
from xenwatch.base.clock import Clock
from xenwatch.base.growing_pause import GrowingPause
from xenwatch.base.printed_text import as_unicode
from xenwatch.model.incident import Incident
from xenwatch.notify.senders import Undelivered

log = logging.getLogger(__name__)

FILE = "silences.json"
"""In the state folder: which silence belongs to which incident, so that a restart makes no second one."""
RENEW = 300.0
"""Seconds before its end at which the silence of an acknowledgement without an end is renewed."""
_EVERY, _DEADLINE = 1.0, 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class AlertmanagerAccess:
    """How Alertmanager is reached. `labels`: by which its alerts are known to be of this host."""

    url: str
    labels: Mapping[str, str]
    lasts: float
    """Seconds of a silence whenever the person named no end."""
    token: Callable[[], str] | None = None
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class _Silence:
    id: str
    starts: float
    """Alertmanager lengthens a silence under its id only while its start stays the same."""
    ends: float


class Silences:
    """Makes, renews and ends one silence for each acknowledged incident. Without access it does nothing."""

    def __init__(self, access: AlertmanagerAccess | None, clock: Clock, state_dir: Path) -> None:
        self._access, self._clock, self._file = access, clock, state_dir / FILE
        self._acknowledged: dict[str, Incident] = {}
        self._made = _saved(self._file) if access is not None else {}
        self._pause = GrowingPause(clock, _FIRST_PAUSE, _LONGEST_PAUSE)

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended; at the start, all that are known."""
        for incident in incidents:
            if incident.acknowledged_by is not None and incident.state != "resolved":
                self._acknowledged[incident.id] = incident
            else:
                self._acknowledged.pop(incident.id, None)

    async def run(self) -> None:
        """Until cancelled."""
        while self._access is not None:
            await self.turn()
            await self._clock.sleep(_EVERY)
        await asyncio.Event().wait()

    async def turn(self) -> None:
        """Do what is due. Where Alertmanager does not answer it is asked again, after growing pauses."""
        if self._access is None or self._pause.lasts:
            return
        try:
            for ident in sorted(self._acknowledged.keys() | self._made.keys()):
                await self._settle(self._access, ident)
        except Undelivered as error:
            self._pause.failed()
            log.warning("Alertmanager has not taken a silence, and is asked again later: %s", error)
        else:
            self._pause.succeeded()

    async def _settle(self, access: AlertmanagerAccess, ident: str) -> None:
        incident, made, now = self._acknowledged.get(ident), self._made.get(ident), self._clock.now()
        until = None if incident is None else incident.acknowledged_until
        if incident is None or (until is not None and until <= now):
            if made is not None:
                if made.ends > now:
                    await _ask(access, "DELETE", f"silence/{made.id}")
                del self._made[ident]
                self._save()
        elif made is None or not _is_right(made, until, now, access.lasts):
            starts, ends = now if made is None else made.starts, until or now + access.lasts
            body = _body(incident, access.labels, starts, ends) | ({"id": made.id} if made is not None else {})
            self._made[ident] = _Silence(str((await _ask(access, "POST", "silences", body))["silenceID"]), starts, ends)
            self._save()

    def _save(self) -> None:
        told = {ident: [silence.id, silence.starts, silence.ends] for ident, silence in self._made.items()}
        try:
            write_atomically(self._file, json.dumps({"version": 1, "silences": told}).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s; a restart may make silences again", self._file, error.strerror)


def _is_right(made: _Silence, until: float | None, now: float, lasts: float) -> bool:
    return made.ends == until if until is not None else made.ends - now > min(RENEW, lasts / 2)


def _body(incident: Incident, labels: Mapping[str, str], starts: float, ends: float) -> dict[str, Any]:
    """The alerts of an incident are known by its rule and subject, on this host alone."""
    subject = incident.diagnosis.subject
    # A guest's name can hold what is no Unicode; /metrics replaces it in the same way.
    named = {"name": as_unicode(subject.name), "kind": subject.kind, "rule": incident.diagnosis.rule, **labels}
    said = next((r.text for r in reversed(incident.remarks) if r.what == "acknowledged" and r.text), "")
    return {
        "matchers": [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in named.items()],
        "startsAt": _moment(starts),
        "endsAt": _moment(ends),
        "createdBy": f"xenwatch: {as_unicode(incident.acknowledged_by or '')}",
        "comment": as_unicode(f"incident {incident.id} is acknowledged" + (f": {said}" if said else "")),
    }


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


async def _ask(access: AlertmanagerAccess, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Its answer; Undelivered says why there is none. A silence that is gone by now need not be ended."""
    headers = {"Authorization": f"Bearer {access.token()}"} if access.token is not None else {}
    import aiohttp  # noqa: PLC0415 - slow to load, and commands that read the configuration ask nobody

    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=_DEADLINE)) as http,
            http.request(
                method, f"{access.url}/api/v2/{path}", json=body, ssl=access.tls or True, allow_redirects=False
            ) as answer,
        ):
            if method == "DELETE" and answer.status in (200, 404):
                return None
            if answer.status != 200:  # noqa: PLR2004 - OK
                raise Undelivered(f"it answered {answer.status}")
            return await answer.json()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise Undelivered(f"{type(error).__name__}") from None


def _saved(file: Path) -> dict[str, _Silence]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(file.read_bytes())["silences"]
        return {ident: _Silence(str(found), float(at), float(ends)) for ident, (found, at, ends) in told.items()}
    return {}
