"""Alerts from outside: who sends is proven and the form is checked before anything is kept; they are hints only."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiohttp import web

from xenwatch.base.errors import NotJson, StoreError
from xenwatch.model.action import Alert
from xenwatch.web.body import plain_json, read
from xenwatch.web.rate_limit import RateLimiter
from xenwatch.web.webhook_auth import WebhookSenders, delivery_of, known

LARGEST = 256 * 1024
PER_MINUTE = 120
_MOST_ALERTS = 1000
_MOST_LABELS = 64
_LONGEST = 1024
_VERSIONS = ("4", "1")
"""Alertmanager's payload and Grafana's, which took it over."""


class AlertReceiver(Protocol):
    """What takes the alerts in. StoreError where nothing can be kept just now."""

    async def take_alerts(self, alerts: Sequence[Alert]) -> int: ...

    async def first_use(self, nonce: str) -> bool: ...


class _Bad(Exception):
    """The body is not what it should be."""


def routes(
    desk: AlertReceiver, senders: WebhookSenders, *, now: Callable[[], float] = time.time, per_minute: int = PER_MINUTE
) -> list[web.RouteDef]:
    """`/hooks/alertmanager` (bearer, basic or certificate), `/hooks/grafana` and `/hooks/generic` (signed).

    `per_minute`: deliveries from one address; who proves himself and who does not are counted apart.
    """
    pace = RateLimiter(per_minute, now)

    async def alertmanager(request: web.Request) -> web.Response:
        proven = known(request, senders)
        _paced(pace, request, proven=proven)
        if not proven:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        return await _taken(desk, await read(request, LARGEST))

    async def signed(request: web.Request) -> web.Response:
        if pace.wait((request.remote, False)):  # before its body is read and its signature is calculated
            _paced(pace, request, proven=False)
        body = await read(request, LARGEST)
        nonce = delivery_of(request.headers, body, senders, now())
        _paced(pace, request, proven=nonce is not None)
        if nonce is None:
            raise web.HTTPUnauthorized
        return await _taken(desk, body, nonce)

    return [
        web.post("/hooks/alertmanager", alertmanager),
        web.post("/hooks/grafana", signed),
        web.post("/hooks/generic", signed),
    ]


def _paced(pace: RateLimiter, request: web.Request, *, proven: bool) -> None:
    """503 for who comes too often: Alertmanager sends again after a 503, and gives an alert up after a 429."""
    who = (request.remote, proven)
    wait = pace.wait(who)
    if wait:
        raise web.HTTPServiceUnavailable(text="too many deliveries", headers={"Retry-After": str(wait)})
    pace.take(who)


async def _taken(desk: AlertReceiver, body: bytes, nonce: str | None = None) -> web.Response:
    """202 once the alerts stand in the journal; 400 final, 503 to be sent again."""
    try:
        alerts = parse(body)
        if nonce is not None and not await desk.first_use(nonce):
            return web.json_response({"accepted": 0, "note": "seen before"}, status=202)
        fresh = await desk.take_alerts(alerts) if alerts else 0
    except _Bad as error:
        return web.json_response({"error": str(error)}, status=400)
    except StoreError:
        return web.json_response({"error": "cannot be kept just now"}, status=503)
    return web.json_response({"accepted": fresh}, status=202)


def parse(body: bytes) -> list[Alert]:
    """The alerts of a delivery; none of one that was cut short, for of what is missing nothing is known."""
    try:
        said = plain_json(body)
    except NotJson as error:
        raise _Bad(str(error)) from None
    if not isinstance(said, dict) or str(said.get("version")) not in _VERSIONS:
        raise _Bad(f"version must be one of {', '.join(_VERSIONS)}")
    alerts = said.get("alerts")
    if not isinstance(alerts, list) or len(alerts) > _MOST_ALERTS:
        raise _Bad(f"alerts must be a list of at most {_MOST_ALERTS}")
    checked = [_alert(alert) for alert in alerts]
    return [] if said.get("truncatedAlerts") else checked


def _alert(said: Any) -> Alert:
    if not isinstance(said, dict):
        raise _Bad("an alert must be an object")
    labels = said.get("labels")
    if not isinstance(labels, dict) or len(labels) > _MOST_LABELS or not all(map(_text, (*labels, *labels.values()))):
        raise _Bad("labels must be an object of texts")
    status, starts_at = said.get("status"), said.get("startsAt")
    if status not in ("firing", "resolved") or not _text(starts_at):
        raise _Bad("an alert needs status firing or resolved, and startsAt")
    fingerprint = said.get("fingerprint")
    if not _text(fingerprint) or not fingerprint:
        fingerprint = hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
    return Alert(str(fingerprint), str(starts_at), status == "firing", labels)


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST
