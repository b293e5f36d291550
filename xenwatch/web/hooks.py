"""Alerts from outside: who sends is proven and the form is checked before anything is kept; they are hints only."""

import asyncio
import hashlib
import hmac
import json
import time
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from xenwatch.base.errors import StoreError
from xenwatch.model.action import Alert

LARGEST = 256 * 1024
_READ_SECONDS = 5.0
_WINDOW = 300.0
_MOST_ALERTS = 1000
_MOST_LABELS = 64
_LONGEST = 1024
_VERSIONS = ("4", "1")
"""Alertmanager's payload and Grafana's, which took it over."""


class HookDesk(Protocol):
    """What takes the alerts in. StoreError where nothing can be kept just now."""

    async def take_alerts(self, alerts: Sequence[Alert]) -> int: ...

    async def first_use(self, nonce: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Senders:
    """Who may send. Nothing configured: nobody may."""

    bearer: tuple[str, ...] = ()
    basic: Mapping[str, str] = field(default_factory=dict)
    """Password by user."""
    keys: tuple[bytes, ...] = ()
    """HMAC keys; two at a time while one is replaced."""
    signature_header: str = "X-Grafana-Alerting-Signature"
    timestamp_header: str = "X-Grafana-Alerting-Timestamp"
    nonce_header: str = "X-Xenwatch-Nonce"


class _Bad(Exception):
    """The body is not what it should be."""


def routes(desk: HookDesk, senders: Senders, *, now: Callable[[], float] = time.time) -> list[web.RouteDef]:
    """`/hooks/alertmanager` (bearer or basic), `/hooks/grafana` and `/hooks/generic` (signed)."""

    async def alertmanager(request: web.Request) -> web.Response:
        if not _known(request.headers.get("Authorization", ""), senders):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        return await _taken(desk, await _body(request))

    async def signed(request: web.Request) -> web.Response:
        body = await _body(request)
        nonce = _checked_signature(request.headers, body, senders, now())
        if nonce is None:
            raise web.HTTPUnauthorized
        return await _taken(desk, body, nonce)

    return [
        web.post("/hooks/alertmanager", alertmanager),
        web.post("/hooks/grafana", signed),
        web.post("/hooks/generic", signed),
    ]


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or 0)
    body = b""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.content.iter_chunked(16 * 1024):
                body += chunk
                if len(body) > LARGEST:
                    raise web.HTTPRequestEntityTooLarge(LARGEST, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return body


async def _taken(desk: HookDesk, body: bytes, nonce: str | None = None) -> web.Response:
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
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise _Bad("the body is not JSON") from None
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
    if not isinstance(labels, dict) or len(labels) > _MOST_LABELS or not all(_text(v) for v in labels.values()):
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


def _known(header: str, senders: Senders) -> bool:
    """Compared in constant time with every token there is."""
    scheme, _, word = header.partition(" ")
    if scheme.lower() == "bearer":
        return any([hmac.compare_digest(word.encode(), token.encode()) for token in senders.bearer])  # noqa: C419 - all of them, always
    if scheme.lower() == "basic":
        try:
            given = b64decode(word, validate=True)
        except ValueError:
            return False
        pairs = [f"{user}:{password}".encode() for user, password in senders.basic.items()]
        return any([hmac.compare_digest(given, pair) for pair in pairs])  # noqa: C419 - all of them, always
    return False


def _checked_signature(headers: Mapping[str, str], body: bytes, senders: Senders, now: float) -> str | None:
    """What makes this delivery unique, where its signature holds and its time is near; None otherwise.

    Signed is `timestamp:body`, as Grafana does, or `timestamp:nonce:body` where a nonce is sent.
    """
    stamp, nonce = headers.get(senders.timestamp_header, ""), headers.get(senders.nonce_header, "")
    signature = headers.get(senders.signature_header, "").removeprefix("sha256=").lower()
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12 and abs(now - int(stamp)) <= _WINDOW):  # noqa: PLR2004 - seconds
        return None
    whole = b":".join([part.encode() for part in (stamp, nonce) if part] + [body])
    right = [hmac.new(key, whole, hashlib.sha256).hexdigest() for key in senders.keys]
    if not any([hmac.compare_digest(signature.encode(), one.encode()) for one in right]):  # noqa: C419 - all of them, always
        return None
    return hashlib.sha256(f"{stamp}:{nonce}:{signature}".encode()).hexdigest()
