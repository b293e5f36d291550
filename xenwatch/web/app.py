"""The HTTP server: metrics, health, and incidents as JSON; loopback unless told otherwise."""

import ipaddress
import logging
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from xenwatch.base.errors import Unavailable
from xenwatch.web import api, pages
from xenwatch.web.keys import VIEW
from xenwatch.web.metrics import CONTENT_TYPES, accepts_gzip, negotiate
from xenwatch.web.view import View

log = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STOP_SECONDS = 2.0


def build_app(
    view: View, *, loopback: bool, largest_request: int = 64 * 1024, more: Iterable[web.RouteDef] = ()
) -> web.Application:
    """The application with `more` routes. `loopback`: it listens there only, so other host names are refused."""
    app = web.Application(
        client_max_size=largest_request, middlewares=[_safe, _own_names_only] if loopback else [_safe]
    )
    app[VIEW] = view
    app.add_routes([web.get("/", pages.index), web.get("/metrics", _metrics), *api.ROUTES, *more])
    return app


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Start listening; the runner to clean up later, and the port (another one where 0 was asked for)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        said = error.strerror or str(error)
        raise Unavailable(
            f"cannot listen on {host} port {port}: {said}; choose another with --listen ADDRESS:PORT"
        ) from error
    address: tuple[str, int] = runner.addresses[0]
    return runner, address[1]


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _metrics(request: web.Request) -> web.Response:
    format_ = negotiate(request.headers.get("Accept", ""))
    gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    headers = {"Content-Type": CONTENT_TYPES[format_], "Vary": "Accept, Accept-Encoding"}
    if gzip:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=request.app[VIEW].exposition.body(format_, gzip=gzip), headers=headers)


@web.middleware
async def _safe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer carries the security headers; an unforeseen error is logged and told without its insides."""
    try:
        answer = await handler(request)
    except web.HTTPException as refusal:
        answer = web.json_response({"error": refusal.text or refusal.reason}, status=refusal.status)
        if "Allow" in refusal.headers:
            answer.headers["Allow"] = refusal.headers["Allow"]
    except Exception:  # the fence around one request
        log.exception("answering %s %s failed", request.method, request.path)
        answer = web.json_response({"error": "internal error; the agent's log has the details"}, status=500)
    answer.headers.update(_HEADERS)
    return answer


@web.middleware
async def _own_names_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page elsewhere may point its own name at 127.0.0.1 and have a browser read us: its name is in Host."""
    host = request.url.host or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            raise web.HTTPMisdirectedRequest(
                text="this listens on the loopback only; ask for localhost or an address"
            ) from None
    return await handler(request)
