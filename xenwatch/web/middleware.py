"""What every request passes before its handler: who it is for, who asks, what it may carry, and how errors are told."""

import ipaddress
import logging
from collections.abc import Sequence

from aiohttp import web
from aiohttp.http import HttpVersion11
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from xenwatch.web.auth import User, person
from xenwatch.web.connection import CONNECTIONS

log = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TOLD = ("Allow", "Retry-After", "WWW-Authenticate")
"""Headers of a refusal that a client acts on."""
_OPEN = frozenset({"/healthz", "/readyz"})
"""Asked by what starts and balances services, which seldom can log in."""


@web.middleware
async def timed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells the connection's gate when a request begins and ends."""
    gate = request.app[CONNECTIONS].get(request.protocol)
    if gate is None:
        return await handler(request)
    gate.began()
    try:
        return await handler(request)
    finally:
        gate.ended()


@web.middleware
async def safe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer carries the security headers; an unforeseen error is logged and told without its insides."""
    try:
        answer = await handler(request)
    except web.HTTPException as refusal:
        answer = web.json_response({"error": refusal.text or refusal.reason}, status=refusal.status)
        answer.headers.update({name: refusal.headers[name] for name in _TOLD if name in refusal.headers})
    except Exception:  # the fence around one request
        if request.transport is None:  # the client went away in the middle of it
            raise
        log.exception("answering %s %s failed", request.method, request.rel_url.raw_path)
        answer = web.json_response({"error": "internal error; the agent's log has the details"}, status=500)
    answer.headers.update(_HEADERS)
    return answer


@web.middleware
async def plain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No compressed bodies: a few bytes of one may become gigabytes. And one Host, so that nobody reads another."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="send the body as it is, without Content-Encoding")
    hosts = len(request.headers.getall("Host", ()))
    if hosts > 1 or (not hosts and request.version >= HttpVersion11):
        raise web.HTTPBadRequest(text="a request needs one Host")
    return await handler(request)


@web.middleware
async def own_names_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page elsewhere may point its own name at 127.0.0.1 and have a browser read us: its name is in Host."""
    if not _is_ours(request):
        raise web.HTTPMisdirectedRequest(text="this listens on the loopback only; ask for localhost or an address")
    return await handler(request)


def readers_only(people: Sequence[User]) -> Middleware:
    """Whoever asks for more than health must have a token."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.rel_url.raw_path not in _OPEN and not request.rel_url.raw_path.startswith("/hooks/"):
            person(request, people, "viewer")
        return await handler(request)

    return check


def _is_ours(request: web.Request) -> bool:
    # Without a Host aiohttp would ask DNS for this machine's name and wait for it.
    if "Host" not in request.headers:
        return False
    try:
        host = URL(f"//{request.host}").host or ""
        return host == "localhost" or bool(ipaddress.ip_address(host))
    except ValueError:
        return False
