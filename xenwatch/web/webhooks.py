"""Alerts from outside: the sender is authenticated and the form is checked before anything is stored."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from aiohttp import web

from xenwatch.base.errors import InputError, NotJson, StoreError
from xenwatch.model.action import Alert
from xenwatch.web.body import plain_json, read
from xenwatch.web.rate_limit import RateLimiter
from xenwatch.web.webhook_auth import WebhookSenders, delivery_of, is_authenticated

LARGEST = 256 * 1024
PER_MINUTE = 120
_MOST_ALERTS = 1000
_MOST_LABELS = 64
_LONGEST = 1024
_VERSIONS = ("4", "1")
"""Alertmanager's payload and Grafana's, which took it over."""


class AlertReceiver(Protocol):
    """What takes the alerts in. StoreError where nothing can be stored now."""

    async def take_alerts(self, alerts: Sequence[Alert]) -> int: ...

    async def first_use(self, nonce: str) -> bool: ...


class InvalidDelivery(InputError):
    """Says what is wrong with the body of a delivery."""


def routes(
    receiver: AlertReceiver,
    senders: WebhookSenders,
    *,
    now: Callable[[], float] = time.time,
    per_minute: int = PER_MINUTE,
) -> list[web.RouteDef]:
    """`/hooks/alertmanager` (bearer, basic or certificate), `/hooks/grafana` and `/hooks/generic` (signed).

    `per_minute`: deliveries from one address; those with and without valid credentials are counted apart.
    """
    rate_limiter = RateLimiter(per_minute, now)

    async def alertmanager(request: web.Request) -> web.Response:
        authenticated = is_authenticated(request, senders)
        _limit_rate(rate_limiter, request, authenticated=authenticated)
        if not authenticated:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        return await _accept(receiver, request, await read(request, LARGEST))

    async def signed(request: web.Request) -> web.Response:
        if rate_limiter.wait((request.remote, False)):  # before its body is read and its signature is calculated
            _limit_rate(rate_limiter, request, authenticated=False)
        body = await read(request, LARGEST)
        nonce = delivery_of(request.headers, body, senders, now())
        _limit_rate(rate_limiter, request, authenticated=nonce is not None)
        if nonce is None:
            raise web.HTTPUnauthorized
        return await _accept(receiver, request, body, nonce)

    return [
        web.post("/hooks/alertmanager", alertmanager),
        web.post("/hooks/grafana", signed),
        web.post("/hooks/generic", signed),
    ]


def _limit_rate(rate_limiter: RateLimiter, request: web.Request, *, authenticated: bool) -> None:
    """503 for too many deliveries: Alertmanager sends again after a 503, and gives an alert up after a 429."""
    sender = (request.remote, authenticated)
    wait = rate_limiter.wait(sender)
    if wait:
        raise web.HTTPServiceUnavailable(
            text="too many deliveries from this address; send this one again later", headers={"Retry-After": str(wait)}
        )
    rate_limiter.take(sender)


async def _accept(receiver: AlertReceiver, request: web.Request, body: bytes, nonce: str | None = None) -> web.Response:
    """202 once the alerts are in the run store; 400 is final, 503 means send again."""
    try:
        alerts = [replace(alert, sender=f"{request.path} {request.remote}") for alert in parse(body)]
        if nonce is not None and not await receiver.first_use(nonce):
            return web.json_response({"accepted": 0, "note": "this delivery was received before"}, status=202)
        accepted = await receiver.take_alerts(alerts) if alerts else 0
    except InvalidDelivery as error:
        return web.json_response({"error": str(error)}, status=400)
    except StoreError:
        return web.json_response({"error": "the alerts cannot be stored now; send them again"}, status=503)
    return web.json_response({"accepted": accepted}, status=202)


def parse(body: bytes) -> list[Alert]:
    """The alerts of a delivery; none where it was cut short, because nothing is known of the missing ones."""
    try:
        payload = plain_json(body)
    except NotJson as error:
        raise InvalidDelivery(str(error)) from None
    if not isinstance(payload, dict) or str(payload.get("version")) not in _VERSIONS:
        raise InvalidDelivery(f"version must be one of {', '.join(_VERSIONS)}")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list) or len(alerts) > _MOST_ALERTS:
        raise InvalidDelivery(f"alerts must be a list of at most {_MOST_ALERTS}")
    checked = [_alert(alert) for alert in alerts]
    return [] if payload.get("truncatedAlerts") else checked


def _alert(fields: object) -> Alert:
    if not isinstance(fields, dict):
        raise InvalidDelivery("an alert must be an object")
    labels = fields.get("labels")
    if not isinstance(labels, dict) or len(labels) > _MOST_LABELS or not all(map(_text, (*labels, *labels.values()))):
        raise InvalidDelivery("labels must be an object of strings")
    status, starts_at = fields.get("status"), fields.get("startsAt")
    if status not in ("firing", "resolved") or not _text(starts_at):
        raise InvalidDelivery("an alert needs a status (firing or resolved) and startsAt")
    fingerprint = fields.get("fingerprint")
    if not _text(fingerprint) or not fingerprint:
        fingerprint = hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
    return Alert(str(fingerprint), str(starts_at), status == "firing", labels)


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST
