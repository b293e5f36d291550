"""Webhooks out: signed, tried again with growing pauses, under one id; never to this host unless told so."""

import asyncio
import json
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from story import Story

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import InputError
from xenwatch.model.action import RemediationEvent
from xenwatch.notify.webhooks import Destination, Webhooks, sign

EVENT = RemediationEvent("r1.failed.7", "failed", 1.0, "r1", "domain_start of domain/web: failed")


class Source:
    def __init__(self) -> None:
        self.waiting: dict[str, tuple[RemediationEvent, int]] = {EVENT.id: (EVENT, 0)}
        self.pauses: list[float] = []

    async def due_events(self):
        return list(self.waiting.values())

    async def event_delivered(self, event):
        del self.waiting[event]

    async def event_put_off(self, event, pause):
        self.waiting[event] = (self.waiting[event][0], self.waiting[event][1] + 1)
        self.pauses.append(pause)


@pytest.fixture
async def receiver():
    app = web.Application()
    answers, got = [], []

    async def take(request):
        got.append((dict(request.headers), await request.read()))
        status = answers.pop(0) if answers else 204
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, headers=headers)

    app.router.add_post("/hook", take)
    app.router.add_post("/elsewhere", take)
    async with TestServer(app) as server:
        yield answers, got, str(server.make_url("/hook"))


async def test_an_event_is_delivered_once_taken_and_its_signature_holds(receiver):
    _answers, got, url = receiver
    source = Source()
    await Webhooks(source, [Destination(url, b"key", local=True)], ManualClock()).deliver_due()
    headers, body = got[0]
    assert source.waiting == {}
    assert json.loads(body)["id"] == headers["X-Xenwatch-Event"] == EVENT.id
    assert headers["X-Xenwatch-Signature"] == "sha256=" + sign(b"key", headers["X-Xenwatch-Timestamp"], body)


async def test_an_event_not_taken_is_sent_again_under_the_same_id_after_growing_pauses(receiver):
    answers, got, url = receiver
    answers.extend([500, 404, 302])
    source = Source()
    hooks = Webhooks(source, [Destination(url, b"key", local=True)], ManualClock())
    for _ in range(4):
        await hooks.deliver_due()
    assert source.pauses == [5.0, 10.0, 20.0]
    assert {headers["X-Xenwatch-Event"] for headers, _ in got} == {EVENT.id}
    assert len(got) == 4
    assert source.waiting == {}


async def test_pauses_have_an_end(receiver):
    answers, _got, url = receiver
    answers.extend([500])
    source = Source()
    source.waiting[EVENT.id] = (EVENT, 5000)
    await Webhooks(source, [Destination(url, b"key", local=True)], ManualClock()).deliver_due()
    assert source.pauses == [3600.0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0"])
async def test_this_host_and_its_link_are_not_written_to_unless_allowed(receiver, host):
    _answers, got, url = receiver
    source = Source()
    port = url.rpartition(":")[2]
    await Webhooks(source, [Destination(f"http://{host}:{port}", b"key")], ManualClock()).deliver_due()
    assert got == []
    assert len(source.pauses) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "hook"])
def test_only_http_is_spoken(url):
    with pytest.raises(InputError):
        Webhooks(Source(), [Destination(url, b"key")], ManualClock())


async def test_events_of_the_journal_are_kept_over_a_restart_until_delivered(receiver, tmp_path):
    _answers, got, url = receiver
    story = Story(tmp_path, {})
    await story.play([{"incident": "guest-down"}, {"tick": 1}, {"restart": "boot-1"}])
    await Webhooks(story.service, [Destination(url, b"key", local=True)], story.clock).deliver_due()
    assert [json.loads(body)["kind"] for _, body in got] == ["started", "succeeded"]
    assert await story.service.due_events() == []
    story.service.close()


async def test_a_destination_that_never_answers_keeps_no_other_from_hearing(receiver, monkeypatch):
    _answers, got, url = receiver
    monkeypatch.setattr("xenwatch.notify.webhooks._DEADLINE", 0.2)
    asked = []

    async def hold(reader, writer):
        asked.append(await reader.readline())
        await reader.read()
        writer.close()

    dead = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = dead.sockets[0].getsockname()[1]
    source, clock = Source(), ManualClock()
    source.waiting = {f"r{n}": (replace(EVENT, id=f"r{n}"), 0) for n in range(5)}
    destinations = [Destination(f"http://127.0.0.1:{port}/", b"key", local=True), Destination(url, b"key", local=True)]
    hooks = Webhooks(source, destinations, clock)
    await hooks.deliver_due()
    assert [headers["X-Xenwatch-Event"] for headers, _ in got] == [f"r{n}" for n in range(5)]
    assert len(asked) == 1  # the others wait until it answers again
    await hooks.deliver_due()
    assert (len(got), len(asked)) == (5, 1)  # what was heard is not told again
    clock.advance(6)
    await hooks.deliver_due()
    assert (len(got), len(asked), len(source.waiting)) == (5, 2, 5)
    dead.close()
