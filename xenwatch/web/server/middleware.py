"""What every request passes before its handler: its host name, who asks, what it may carry, how errors look."""

import ipaddress
import logging
from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import web
from aiohttp.http import HttpVersion11
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from xenwatch.web.auth import User, authorise
from xenwatch.web.server.connection import CONNECTIONS
from xenwatch.web.server.passwords import CHALLENGE, Passwords
from xenwatch.web.sessions import SESSIONS

log = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
"""Headers of a refusal that a client acts on."""
_READING = frozenset({"GET", "HEAD"})
_OPEN = frozenset({"/healthz", "/readyz", "/sign-in"})
"""Service managers and load balancers ask for the first two and can seldom log in."""
_OPEN_BELOW = ("/hooks/", "/assets/")
"""Webhooks have senders and secrets of their own; style and script are the same for everybody."""


@web.middleware
async def timed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells the client's connection when a request begins and ends, for its deadlines."""
    connection = request.app[CONNECTIONS].get(request.protocol)
    if connection is None:
        return await handler(request)
    connection.request_started()
    try:
        return await handler(request)
    finally:
        connection.request_answered()


@web.middleware
async def safe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer carries the security headers; an unexpected error is logged, and the client sees no details."""
    try:
        answer = await handler(request)
    except web.HTTPException as refusal:
        answer = web.json_response({"error": refusal.text or refusal.reason}, status=refusal.status)
        answer.headers.update({name: refusal.headers[name] for name in _KEPT_HEADERS if name in refusal.headers})
    except Exception:  # one request must not end the server
        if request.transport is None:  # the client went away in the middle of it
            raise
        log.exception("answering %s %s failed", request.method, request.rel_url.raw_path)
        answer = web.json_response({"error": "internal error; see the agent's log for details"}, status=500)
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)  # a page says for itself what it may load
    return answer


@web.middleware
async def uncompressed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No compressed bodies: a few bytes may become gigabytes. And one Host, so that nobody reads a different one."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="send the body as it is, without Content-Encoding")
    hosts = len(request.headers.getall("Host", ()))
    if hosts > 1 or (not hosts and request.version >= HttpVersion11):
        raise web.HTTPBadRequest(text="a request needs exactly one Host header")
    return await handler(request)


def own_names_only(external_host: str = "") -> Middleware:
    """A web page may point its own name at 127.0.0.1 and have a browser read the agent: that name is in Host.

    `external_host`: the name under which a proxy passes requests on.
    """

    @web.middleware
    async def known_name(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_own_name(request, external_host):
            raise web.HTTPMisdirectedRequest(
                text="the agent listens on the loopback only; use localhost or an IP address as the host name, "
                "or set [web] external_url"
            )
        return await handler(request)

    return known_name


def readers_only(users: Sequence[User], passwords: Passwords | None = None) -> Middleware:
    """Everything but health needs a token, or a browser that is signed in; a browser that is not is asked to.

    With `passwords` a user of these may read, too.
    """

    @web.middleware
    async def log_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path in _OPEN or path.startswith(_OPEN_BELOW) or _is_signed_in(request, path):
            return await handler(request)
        if passwords is not None and request.method in _READING:
            if await passwords.admit(request.headers.get("Authorization", "")):
                return await handler(request)
            if not users:
                raise web.HTTPUnauthorized(headers=CHALLENGE)
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return web.Response(status=303, headers={"Location": f"/sign-in?to={quote(request.rel_url.raw_path_qs)}"})
        authorise(request, users, "viewer")
        return await handler(request)

    return log_in


def _is_signed_in(request: web.Request, path: str) -> bool:
    """A browser's session reads anything and sends the forms of pages; what changes something by API needs a token."""
    reads = request.method in _READING or not path.startswith("/api/")
    return reads and request.app[SESSIONS].of(request) is not None


def _is_own_name(request: web.Request, external_host: str) -> bool:
    # Without a Host aiohttp would ask DNS for this machine's name and wait for it.
    if "Host" not in request.headers:
        return False
    if external_host and request.host == external_host:
        return True
    try:
        host = URL(f"//{request.host}").host or ""
        return host == "localhost" or bool(ipaddress.ip_address(host))
    except ValueError:
        return False
