"""Who may send alerts, and how a delivery proves who sent it."""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from xenwatch.web.server.tls import certificate_names

_WINDOW = 300.0


@dataclass(frozen=True, slots=True)
class WebhookSenders:
    """Who may send. Where nothing is configured, nobody may."""

    bearer: tuple[str, ...] = ()
    basic: Mapping[str, str] = field(default_factory=dict)
    """Password by user."""
    keys: tuple[bytes, ...] = ()
    """HMAC keys; two at a time while one is replaced."""
    certificates: tuple[str, ...] = ()
    """Common names or alternative names in the certificates of senders; the listener has verified those."""
    signature_header: str = "X-Grafana-Alerting-Signature"
    timestamp_header: str = "X-Grafana-Alerting-Timestamp"
    nonce_header: str = "X-Xenwatch-Nonce"


def is_authenticated(request: web.Request, senders: WebhookSenders) -> bool:
    """By a certificate that the listener verified, or by a token or password, compared with all in constant time."""
    certificate = request.get_extra_info("peercert")
    if not certificate_names(certificate).isdisjoint(senders.certificates):
        return True
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    given = _bytes(credentials)
    if scheme.lower() == "bearer":
        return _matches(given, [token.encode() for token in senders.bearer])
    if scheme.lower() == "basic":
        try:
            given = b64decode(given, validate=True)
        except ValueError:
            return False
        return _matches(given, [f"{user}:{password}".encode() for user, password in senders.basic.items()])
    return False


def _matches(given: bytes, valid: Sequence[bytes]) -> bool:
    return any([hmac.compare_digest(given, secret) for secret in valid])  # noqa: C419 - all of them, always


def _bytes(header: str) -> bytes:
    """As it was sent: what is no UTF-8 arrives as surrogates."""
    return header.encode("utf-8", "surrogateescape")


def delivery_of(headers: Mapping[str, str], body: bytes, senders: WebhookSenders, now: float) -> str | None:
    """What makes this delivery unique, where its signature is valid and its time is near; None otherwise.

    The signature is over `timestamp:body`, as Grafana's, or over `timestamp:nonce:body` where a nonce is sent.
    """
    stamp, nonce = headers.get(senders.timestamp_header, ""), headers.get(senders.nonce_header, "")
    signature = headers.get(senders.signature_header, "").removeprefix("sha256=").lower()
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12 and abs(now - int(stamp)) <= _WINDOW):  # noqa: PLR2004 - seconds
        return None
    signed = b":".join([_bytes(part) for part in (stamp, nonce) if part] + [body])
    valid = [hmac.new(key, signed, hashlib.sha256).hexdigest().encode() for key in senders.keys]
    if not _matches(_bytes(signature), valid):
        return None
    return hashlib.sha256(_bytes(f"{stamp}:{nonce}:{signature}")).hexdigest()
