"""Somebody who means harm, on real sockets: the server goes on answering, and holds nothing for long."""

import asyncio
import gzip
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts.served import PEOPLE, Served, an_incident
from monitoring.certificates import Authority

from xenwatch.model.incident import Incident
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.web.api import SLICE
from xenwatch.web.app import build_app, serve
from xenwatch.web.server.connection import ConnectionLimits
from xenwatch.web.server.listener import Listener, _source
from xenwatch.web.server.tls import TlsFiles

MOST = 16
PATIENT = ConnectionLimits(connections=MOST, head=60, idle=60, request=60)
HASTY = ConnectionLimits(connections=MOST, head=0.3, idle=0.3, request=0.3)
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
ACKNOWLEDGE = (
    b"POST /api/v1/incidents/v-web/acknowledge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer approver-token-12\r\n"
)


@dataclass
class Target:
    """A server, and ways to be unkind to it."""

    listener: Listener
    opened: list[asyncio.StreamWriter]

    async def connect(self, sent: bytes = b"") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        self.opened.append(writer)
        writer.write(sent)
        return reader

    async def answer(self, sent: bytes) -> bytes:
        """All that comes back until the server ends the connection, or says no more for a moment."""
        reader, found = await self.connect(sent), b""
        try:
            async with asyncio.timeout(5):
                while piece := await asyncio.wait_for(reader.read(65536), 0.3 if found else 5):
                    found += piece
        except (TimeoutError, ConnectionError):
            pass
        return found

    async def is_well(self) -> bool:
        """Whether somebody else is answered, and soon."""
        async with asyncio.timeout(10):
            return (await (await self.connect(GET)).readline()).startswith(b"HTTP/1.1 200")


async def until(holds: Callable[[], bool]) -> None:
    """The deadline only ends a test that has failed."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - sockets are waited for
            await asyncio.sleep(0.01)


def _code(answer: bytes) -> bytes:
    return answer.split(b" ", 2)[1] if b" " in answer else b"none"


Opening = Callable[..., Awaitable[Target]]


@pytest.fixture
async def attack(served: Served, an_incident: Callable[[], Incident]) -> AsyncIterator[Opening]:
    """Opens a target with certain limits; there is an incident that may be acknowledged."""
    served.know(an_incident())
    targets: list[Target] = []

    async def opened(limits: ConnectionLimits = PATIENT, **more: Any) -> Target:
        app = build_app(served.view(), loopback=True, users=PEOPLE)
        listener, _ = await serve(app, "127.0.0.1", 0, limits=limits, **more)
        targets.append(Target(listener, []))
        return targets[-1]

    yield opened
    for target in targets:
        for writer in target.opened:
            writer.transport.abort()
        async with asyncio.timeout(10):
            await target.listener.close()


async def test_headers_that_never_end_hold_a_connection_only_until_the_deadline(attack: Opening):
    target = await attack(HASTY)
    for _ in range(MOST):
        await target.connect(GET[:-2] + b"X-Slow: ")
    await until(lambda: target.listener.dropped["head"] == MOST)
    await until(lambda: target.listener.connections == 0)


async def test_a_flood_of_connections_shuts_nobody_out_and_holds_no_more_than_allowed(attack: Opening):
    target = await attack()
    for nth in range(10 * MOST):
        await target.connect(GET[: nth % len(GET)])
        assert target.listener.connections <= MOST
        if nth % 40 == 0:
            assert await target.is_well()
    assert await target.is_well()
    assert target.listener.dropped["crowded"] >= 9 * MOST


async def test_who_is_being_answered_stays_while_those_who_only_wait_go(attack: Opening):
    target = await attack()
    busy = await target.connect(ACKNOWLEDGE + b"Content-Length: 10\r\n\r\n")
    await until(lambda: any(client.order[0] for client in target.listener._clients))
    for _ in range(3 * MOST):
        await target.connect()
    await until(lambda: target.listener.dropped["crowded"] > 2 * MOST)
    target.opened[0].write(b'{"by": 12}')
    assert (await busy.readline()).startswith(b"HTTP/1.1 400")


async def test_a_tls_handshake_that_never_ends_is_counted_and_ended_too(attack: Opening, tmp_path: Path):
    authority = Authority(tmp_path)
    target = await attack(HASTY, tls=TlsFiles(*authority.sign("server")))
    for _ in range(MOST // 2):
        await target.connect()
        await target.connect(b"\x16\x03\x01\x02\x00\x01")
    await until(lambda: target.listener.dropped["handshake"] >= MOST)
    await until(lambda: target.listener.connections == 0)


async def test_a_flood_of_half_handshakes_holds_no_more_than_allowed(attack: Opening, tmp_path: Path):
    authority = Authority(tmp_path)
    target = await attack(tls=TlsFiles(*authority.sign("server")))
    for _ in range(4 * MOST):
        await target.connect(b"\x16\x03\x01\x02\x00\x01")
        assert target.listener.connections <= MOST
    await until(lambda: target.listener.dropped["crowded"] >= 3 * MOST - 1)


async def test_an_unused_connection_is_ended(attack: Opening):
    target = await attack(HASTY)
    assert await target.is_well()
    await until(lambda: target.listener.dropped["idle"] == 1)


async def test_a_body_that_comes_byte_by_byte_holds_a_connection_only_until_the_deadline(attack: Opening):
    target = await attack(HASTY)
    await target.connect(ACKNOWLEDGE + b"Content-Length: 1000\r\n\r\n{")
    await until(lambda: target.listener.dropped["request"] == 1)
    await until(lambda: target.listener.connections == 0)


async def test_an_answer_that_nobody_reads_is_given_up(served: Served, attack: Opening):
    big = Metric("xen_big", "gauge", "Big.", ("name",))
    await served.exposition.update(Snapshot(1.0, tuple(Sample(big, ("x" * 200 + str(n),), 1.0) for n in range(30_000))))
    target = await attack(HASTY)
    with socket.create_connection(("127.0.0.1", target.listener.port)) as deaf:
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        await until(lambda: target.listener.dropped["unread"] == 1)
    await until(lambda: target.listener.connections == 0)


async def test_pipelined_requests_by_the_ten_thousand_are_no_ones_burden_but_the_senders(attack: Opening):
    target = await attack(ConnectionLimits(connections=MOST, head=60, idle=60, request=2))
    reader, writer = await asyncio.open_connection("127.0.0.1", target.listener.port)
    target.opened.append(writer)
    reader._transport.pause_reading()  # type: ignore[attr-defined]  # it sends, and reads nothing
    writer.write(GET * 50_000)
    for _ in range(5):
        assert await target.is_well()
    assert max(len(protocol._messages) for protocol in target.listener._runner.server.connections) < 1000
    await until(lambda: target.listener.dropped["unread"] == 1)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 100_000,
    ],
    ids=["line", "header", "headers"],
)
async def test_headers_without_measure_are_refused_before_they_end(attack: Opening, head: bytes):
    target = await attack()
    assert _code(await target.answer(head)).startswith(b"4")
    assert await target.is_well()


async def test_compressed_bodies_are_refused_unread(attack: Opening):
    target, bomb = await attack(), gzip.compress(b"0" * 50_000_000)
    head = ACKNOWLEDGE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    assert _code(await target.answer(head + bomb[:60_000])) == b"415"


async def test_a_body_in_chunks_is_cut_off_at_the_limit(attack: Opening):
    target = await attack()
    chunks = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    answer = await target.answer(ACKNOWLEDGE + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 20)
    assert _code(answer) == b"413"


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
        b"Content-Length: 0, 44\r\n\r\n",
        b"Content-Length: +0\r\n\r\n",
        b"Content-Length: 0x0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length : 0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n",
        b"X: a\x00b\r\n\r\n",
        b"X\xff: a\r\n\r\n",
    ],
)
async def test_a_request_that_two_servers_would_cut_differently_ends_the_connection(
    attack: Opening, head: bytes, caplog: pytest.LogCaptureFixture
):
    target = await attack()
    with caplog.at_level(logging.INFO):
        answer = await target.answer(ACKNOWLEDGE + head + SMUGGLED)
    assert _code(answer).startswith(b"4")
    assert b" 404 " not in answer
    assert answer.count(b"HTTP/1.") == 1
    assert "Traceback" not in caplog.text
    assert await target.is_well()


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"400"),
        (b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: evil.example:80\r\n\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: \r\n\r\n", b"421"),
        (b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", b"4"),
        (b"GET /healthz HTTP/1.1\r\nHost: \xff\r\n\r\n", b"4"),
        (b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /api/v1/incidents/%00%0a%ff HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /api/v1/incidents/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        (b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /api/v1/incidents?name=%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (b"GET /api/v1/incidents?limit=%D9%A1 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (b"OPTIONS /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"4"),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"4"),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"4"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"4"),
    ],
)
async def test_odd_requests_get_a_plain_answer_and_break_nothing(
    attack: Opening, request_: bytes, code: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("DNS was asked, and the whole agent waits for it"))
    target = await attack()
    with caplog.at_level(logging.INFO):
        answer = await target.answer(request_)
    assert _code(answer).startswith(code), answer[:100]
    assert "Traceback" not in caplog.text
    assert await target.is_well()


@pytest.mark.parametrize(
    "body", [b"[" * 30_000, b'{"by": "a", "by": "b"}', b'{"by": "\\ud800"}', b"\xff", b'{"by": NaN}', b'["a"]']
)
async def test_json_of_any_kind_is_refused_with_words(attack: Opening, body: bytes, caplog: pytest.LogCaptureFixture):
    target = await attack()
    answer = await target.answer(ACKNOWLEDGE + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert _code(answer).startswith(b"4")
    assert "Traceback" not in caplog.text


async def test_a_door_closes_soon_whatever_is_still_connected(attack: Opening):
    target = await attack()
    for sent in (b"", GET[:9], GET, ACKNOWLEDGE + b"Content-Length: 9\r\n\r\n"):
        await target.connect(sent)
    await until(lambda: target.listener.connections == 4)
    async with asyncio.timeout(15):
        await target.listener.close()
    await until(lambda: target.listener.connections == 0)


@pytest.mark.parametrize(
    ("address", "source"),
    [("10.0.0.1", "10.0.0.1"), ("fe80::1%eth0", "fe80::/64"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")],
)
def test_a_machine_with_many_addresses_of_ipv6_counts_as_one(address: str, source: str):
    assert _source(address) == source


async def test_a_reader_of_all_incidents_leaves_every_other_task_its_turn(served: Served, attack: Opening):
    served.know(*(an_incident(f"web{n}") for n in range(1000)))
    target, turns = await attack(), 0
    reader = await target.connect(b"GET /api/v1/incidents?full=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = asyncio.create_task(reader.readline())
    while not head.done():
        turns += 1
        await asyncio.sleep(0)
    assert head.result().startswith(b"HTTP/1.1 200")
    assert turns > 1000 / SLICE


async def test_three_hundred_that_ask_and_never_read_keep_nobody_from_being_answered(attack: Opening):
    target = await attack(ConnectionLimits(head=60, idle=60, request=60))
    for _ in range(300):
        reader, writer = await asyncio.open_connection("127.0.0.1", target.listener.port)
        target.opened.append(writer)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET * 200)
    for _ in range(5):
        assert await target.is_well()
    assert target.listener.connections <= 256
