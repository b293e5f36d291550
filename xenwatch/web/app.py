"""The HTTP server: metrics, health, and incidents as JSON; on the loopback unless configured otherwise."""

import asyncio
import logging
from collections.abc import Iterable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from yarl import URL

from xenwatch.base.errors import InvalidValue, Unavailable
from xenwatch.web import api
from xenwatch.web.auth import User
from xenwatch.web.context import CONTEXT, WebContext
from xenwatch.web.exposition import CONTENT_TYPES, accepts_gzip, negotiate
from xenwatch.web.server.connection import CONNECTIONS, ConnectionLimits
from xenwatch.web.server.listener import Listener
from xenwatch.web.server.local_users import local_users_only, writers_only
from xenwatch.web.server.middleware import own_names_only, readers_only, safe, timed, uncompressed
from xenwatch.web.server.passwords import Passwords
from xenwatch.web.server.tls import ReloadingContext, TlsFiles
from xenwatch.web.server.unix_socket import unix_socket
from xenwatch.web.sessions import SESSIONS, Sessions
from xenwatch.web.site import changes, forms, signing
from xenwatch.web.site import routes as site

log = logging.getLogger(__name__)

LARGEST_REQUEST = 64 * 1024
_STOP_SECONDS = 2.0


def build_app(
    context: WebContext,
    *,
    loopback: bool,
    largest_request: int = LARGEST_REQUEST,
    readers: Sequence[User] | None = None,
    users: Sequence[User] = (),
    passwords: Passwords | None = None,
    external_url: str = "",
    extra_routes: Iterable[web.RouteDef] = (),
) -> web.Application:
    """The application and `extra_routes`. `loopback`: it listens there only, so other host names are refused.

    `readers`: the users who may read; None: whoever reaches it. `users`: who may sign in with a browser, and write.
    `passwords`: of further users who may read, and then nobody else may.
    `external_url`: where people reach it, if a proxy stands before it.
    """
    host = URL(external_url).authority
    app = build_bare(extra_routes, loopback=loopback, largest_request=largest_request, host=host)
    if readers is not None or passwords is not None:
        app.middlewares.append(readers_only(users if readers is None else readers, passwords))
    app.middlewares.append(writers_only(users))
    return _with_site(app, context, users, host if external_url.startswith("https:") else "")


def build_local_app(
    context: WebContext, gid: int | None, *, largest_request: int, extra_routes: Iterable[web.RouteDef] = ()
) -> web.Application:
    """The same for a socket of this machine: root and the members of the group `gid` need no token."""
    app = build_bare(extra_routes, loopback=True, largest_request=largest_request)
    app.middlewares.append(local_users_only(gid))
    return _with_site(app, context, (), "")


def _with_site(app: web.Application, context: WebContext, users: Sequence[User], behind_tls: str) -> web.Application:
    app[CONTEXT] = context
    app[SESSIONS] = Sessions(users, lambda: asyncio.get_running_loop().time(), behind_tls)
    for part in (changes, forms, signing):
        part.prepare(app)
    app.add_routes([*site.ROUTES, web.get("/metrics", _metrics), *api.ROUTES])
    return app


def build_bare(
    routes: Iterable[web.RouteDef],
    *,
    loopback: bool,
    largest_request: int = LARGEST_REQUEST,
    host: str = "",
) -> web.Application:
    """An application of these routes alone, behind the same middleware."""
    middlewares: list[Middleware] = [timed, safe, uncompressed, *([own_names_only(host)] if loopback else [])]
    app = web.Application(client_max_size=largest_request, middlewares=middlewares)
    app[CONNECTIONS] = {}
    app.add_routes(routes)
    return app


async def serve(
    app: web.Application, host: str, port: int, *, limits: ConnectionLimits | None = None, tls: TlsFiles | None = None
) -> tuple[Listener, int]:
    """Start listening; what to close later, and the port (another one where 0 was asked for)."""
    ssl_context, limits = (None if tls is None else ReloadingContext.of(tls)), limits or ConnectionLimits()
    listener = Listener(await _runner(app, limits), limits, ssl_context)
    try:
        return listener, await listener.open(host, port)
    except OSError as error:
        await listener.close()
        reason = error.strerror or str(error)
        raise Unavailable(
            f"cannot listen on {host} port {port}: {reason}; choose another with --listen ADDRESS:PORT"
        ) from error


async def serve_socket(app: web.Application, path: Path, gid: int | None, limits: ConnectionLimits) -> Listener:
    """Start listening on a socket of this machine. Unavailable where that is not possible."""
    sock = unix_socket(path, gid)
    listener = Listener(await _runner(app, limits), limits)
    listener.open_socket(sock, path)
    return listener


async def _runner(app: web.Application, limits: ConnectionLimits) -> web.AppRunner:
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=_STOP_SECONDS, keepalive_timeout=limits.idle,
        auto_decompress=False, logger=_QuietLogger(log),
    )  # fmt: skip
    await runner.setup()
    return runner


class _QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """For malformed requests that aiohttp logs: a stranger must not fill the log with tracebacks."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, exc_info=kwargs.get("exc_info", True))

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs


async def _metrics(request: web.Request) -> web.Response:
    format_ = negotiate(request.headers.get("Accept", ""))
    gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    headers = {"Content-Type": CONTENT_TYPES[format_], "Vary": "Accept, Accept-Encoding"}
    if gzip:
        headers["Content-Encoding"] = "gzip"
    exposition, chosen = request.app[CONTEXT].exposition, request.query.getall("collect[]", [])
    try:
        body = exposition.selected(format_, chosen, gzip=gzip) if chosen else exposition.body(format_, gzip=gzip)
    except InvalidValue as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    return web.Response(body=body, headers=headers)
