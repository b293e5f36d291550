"""A pool of pretend hosts, each at an address of its own of 127/8 and all at one port, as real ones are.

Made from the published reference of the API and from xapi's sources, for the demo and for tests: it has what xenwatch
asks for. It is judged by other people's clients in tests/integration/test_xapi_clients.py.
"""

import asyncio
import json
import ssl
import time
import xmlrpc.client
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from xenwatch.demo.pool import rrds
from xenwatch.demo.pool.database import Database
from xenwatch.demo.pool.errors import ApiFailure
from xenwatch.demo.pool.methods import Methods, PoolSessions
from xenwatch.demo.pool.operations import Operations
from xenwatch.demo.pool.wire import json_answer, xml_answer

RRD_FORMATS = ("json", "old-json", "xml")


@dataclass
class StandInHost:
    """One host. The knobs are turned by tests."""

    pool: "StandInPool"
    ref: str
    address: str
    delay: float = 0.0
    """Seconds before each answer."""
    hangs: bool = False
    """Takes requests and never answers."""
    rrd_format: str = "json"
    asked: list[str] = field(default_factory=list)
    """Methods and paths, without what was given with them."""
    in_flight: int = 0
    most_in_flight: int = 0
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**20)
        app.router.add_post("/jsonrpc", self._json)
        app.router.add_post("/", self._xml)
        app.router.add_post("/RPC2", self._xml)
        app.router.add_get("/rrd_updates", self._rrd)
        context = self.pool.tls(self.address) if self.pool.tls is not None else None
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.address, self.pool.port, ssl_context=context, reuse_address=True)
        await site.start()
        if not self.pool.port:
            self.pool.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """The host is off: nobody listens there any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def _counted(self, what: str) -> AsyncIterator[None]:
        self.asked.append(what)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.hangs:
                await asyncio.Event().wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            yield
        finally:
            self.in_flight -= 1

    async def _json(self, request: web.Request) -> web.Response:
        call = json.loads(await request.text())
        if not isinstance(call.get("params"), list) or "id" not in call:
            return web.Response(
                status=500, text="<html>Jsonrpc.Malformed_method_request</html>", content_type="text/html"
            )
        async with self._counted(call["method"]):
            body = json_answer(call, await self._result(call["method"], call["params"]))
        return web.Response(body=body, content_type="application/json")

    async def _xml(self, request: web.Request) -> web.Response:
        params, method = xmlrpc.client.loads(await request.read())
        async with self._counted(str(method)):
            body = xml_answer(str(method), await self._result(str(method), list(params)))
        return web.Response(body=body, content_type="text/xml")

    async def _result(self, method: str, params: list[Any]) -> Any:
        try:
            return await self.methods.call(method, params)
        except ApiFailure as failure:
            return failure

    @property
    def methods(self) -> Methods:
        pool = self.pool
        return Methods(
            pool.database, pool.sessions, pool.operations, lambda: pool.master is self, lambda: pool.master.address
        )

    async def _rrd(self, request: web.Request) -> web.Response:
        """A slave knows the sessions of the pool, too: ocaml/xapi/xapi_http.ml."""
        async with self._counted("/rrd_updates"):
            session = request.cookies.get("session_id") or request.query.get("session_id", "")
            if session not in self.pool.sessions.by_ref:
                return web.Response(status=401)
            if "start" not in request.query:
                return web.Response(status=400)
            body = self.rrd_updates(int(request.query["start"]), json_="json" in request.query)
        return web.Response(body=body, content_type="text/plain")

    def rrd_updates(self, start: int, *, json_: bool) -> bytes:
        owners = self.pool.figures.get(self.ref, {})
        legend, rows = rrds.updates(owners, start, int(self.pool.now()), not_yet=self.pool.not_yet)
        if not json_ or self.rrd_format == "xml":
            return rrds.as_xml(legend, rows)
        return rrds.as_json(legend, rows, old=self.rrd_format == "old-json")


@dataclass
class StandInPool:
    """`hosts[0]` is the first master."""

    database: Database = field(default_factory=Database)
    sessions: PoolSessions = field(default_factory=PoolSessions)
    hosts: list[StandInHost] = field(default_factory=list)
    figures: dict[str, dict[str, dict[str, rrds.Source]]] = field(default_factory=dict)
    """By reference of the host: its own numbers and those of the guests that are on it."""
    not_yet: set[tuple[str, str]] = field(default_factory=set)
    port: int = 0
    now: Callable[[], float] = time.time
    ref: str = ""
    tls: Callable[[str], ssl.SSLContext] | None = None
    """The certificate of the host at an address; None: without TLS, as only a demo on this machine may."""

    def __post_init__(self) -> None:
        self.operations = Operations(self.database)

    def add_host(self, ref: str, address: str) -> StandInHost:
        host = StandInHost(self, ref, address)
        self.hosts.append(host)
        return host

    @property
    def master(self) -> StandInHost:
        ref = self.database.record("pool", self.ref)["master"]
        return next(host for host in self.hosts if host.ref == ref)

    def make_master(self, host: StandInHost) -> None:
        """As pool.emergency_transition_to_master, or HA, does. PoolSessions stay: they are in the pool's database."""
        self.database.change("pool", self.ref, master=host.ref)

    def url(self, host: StandInHost | None = None) -> str:
        return f"{'http' if self.tls is None else 'https'}://{(host or self.hosts[0]).address}:{self.port}"

    async def start(self) -> None:
        for host in self.hosts:
            await host.start()

    async def stop(self) -> None:
        for host in self.hosts:
            await host.stop()
