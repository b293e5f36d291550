"""Messages arrive at real receivers on the loopback: SMTP with TLS, ntfy, chat services, a webhook, a program."""

import asyncio
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from apprise.plugins.slack import NotifySlack
from monitoring.certificates import Authority

from xenwatch.base.clock import ManualClock, SystemClock
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.notify.message import compose
from xenwatch.notify.notifications import Notifications
from xenwatch.notify.route import Route
from xenwatch.notify.senders import AppriseSender, ProgramSender, Undelivered, WebhookSender, read_secret

FULL = Incident(
    "0123456789ab",
    Diagnosis(
        "lvm-thin-pool-full", "storage-full", Subject("thinpool", "vg0/pool"), "critical", "A thin pool is full", "s",
        "It has no free space left.", 1.0, verify=("lvs -a",),
    ),
    "open", 1_700_000_000.0, 1_700_000_000.0,
)  # fmt: skip
MESSAGE = compose("xen1", "opened", [FULL])


class Mailbox:
    """What an SMTP server took."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.letters.append(envelope.content)
        return "250 OK"


@asynccontextmanager
async def http(answer: Callable[[web.Request, Any], web.Response]) -> AsyncIterator[str]:
    """`127.0.0.1:port` of a server that hands each request to `answer`."""

    async def handle(request: web.Request) -> web.Response:
        return answer(request, await request.read())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_mail_arrives_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    mailbox = Mailbox()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.sign("mail"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(mailbox, "127.0.0.1", port, tls_context=context, require_starttls=True)
    server.start()
    try:
        url = f"mailtos://127.0.0.1:{port}?smtp=127.0.0.1&mode=starttls&from=xen1@example.org&to=ops@example.org"
        await AppriseSender(lambda: url).send(MESSAGE)
    finally:
        server.stop()
    (letter,) = [message_from_bytes(one, policy=policy.default) for one in mailbox.letters]
    assert letter["subject"] == "xen1: critical: A thin pool is full (thinpool/vg0/pool)"
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Look first: lvs -a" in body.get_content()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ntfy://{at}/ops", "ops"),
        ("mmost://{at}/abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
        ("json://{at}/alert", "alert"),
    ],
)
async def test_a_service_gets_title_and_text(url: str, told: str) -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(request: web.Request, body: bytes) -> web.Response:
        seen.append((request.path, body))
        return web.json_response({"id": "1"})

    async with http(answer) as at:
        await AppriseSender(lambda: url.format(at=at)).send(MESSAGE)
    (path, body) = seen[0]
    assert told in path or told.encode() in body
    assert b"A thin pool is full" in body


def matrix_room(seen: list[tuple[str, str, bytes]]) -> Callable[[web.Request, bytes], web.Response]:
    """A home server with one room that is not encrypted: what it answers to a client with a token."""

    def answer(request: web.Request, body: bytes) -> web.Response:
        seen.append((request.headers.get("Authorization", ""), request.path, body))
        if "/state/" in request.path:
            return web.json_response({"errcode": "M_NOT_FOUND"}, status=404)
        if request.path.endswith("/whoami"):
            return web.json_response({"user_id": "@xenwatch:example.org"})
        return web.json_response({"room_id": "!ops:example.org", "event_id": "$1"})

    return answer


async def test_a_room_of_matrix_gets_title_and_text_from_who_has_the_token() -> None:
    seen: list[tuple[str, str, bytes]] = []
    async with http(matrix_room(seen)) as at:
        await AppriseSender(lambda: f"matrix://abcdefghijkl@{at}/!ops:example.org").send(MESSAGE)
    ((authorization, _, body),) = [one for one in seen if "/send/m.room.message" in one[1]]
    assert authorization == "Bearer abcdefghijkl"
    assert b"A thin pool is full" in body
    assert b"Look first: lvs -a" in body


async def test_a_channel_of_slack_gets_title_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(request: web.Request, body: bytes) -> web.Response:
        seen.append((request.path, body))
        return web.Response(text="ok")

    async with http(answer) as at:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{at}/services")  # the address alone is another one
        await AppriseSender(lambda: f"slack://T1JJ3T3L2/A1BRTD4JD/{'x' * 24}/%23ops").send(MESSAGE)
    ((path, body),) = seen
    assert path == f"/services/T1JJ3T3L2/A1BRTD4JD/{'x' * 24}"
    assert b"A thin pool is full" in body
    assert b"#ops" in body


async def test_a_refusal_is_told_without_the_secret_of_the_url(caplog: pytest.LogCaptureFixture) -> None:
    secret = "abcdefghijklmnopqrstuvwx"
    async with http(lambda _request, _body: web.Response(status=403)) as at:
        with caplog.at_level(logging.DEBUG), pytest.raises(Undelivered) as refused:
            await AppriseSender(lambda: f"mmost://{at}/{secret}").send(MESSAGE)
    assert secret not in str(refused.value)
    assert secret not in caplog.text


async def test_a_url_that_nobody_knows_is_told_by_its_scheme_alone() -> None:
    with pytest.raises(Undelivered, match=r"URL 1 \(carrierpigeon\) is not one") as refused:
        await AppriseSender(lambda: "carrierpigeon://secret-of-mine/x").send(MESSAGE)
    assert "secret" not in str(refused.value)


async def test_a_webhook_gets_the_whole_incident_and_a_token(tmp_path: Path) -> None:
    seen: list[tuple[str | None, Any]] = []
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("s3cret-of-the-receiver\n")

    async def taken() -> None:
        async with http(answer) as at:
            await WebhookSender(f"http://{at}/x", lambda: read_secret(token)).send(MESSAGE)

    def answer(request: web.Request, body: bytes) -> web.Response:
        seen.append((request.headers.get("Authorization"), body.decode()))
        return web.Response()

    await taken()
    ((authorization, body),) = seen
    assert authorization == "Bearer s3cret-of-the-receiver"
    assert '"rule": "lvm-thin-pool-full"' in body
    assert '"reason": "opened"' in body


async def test_a_secret_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o644)
    with pytest.raises(Undelivered, match="run chmod 640"):
        read_secret(token)


async def test_a_program_finds_the_message_in_its_environment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"import os; open({str(out)!r}, 'w').write(os.environ['XENWATCH_NOTIFY_TITLE'])"
    await ProgramSender((sys.executable, "-c", script)).send(MESSAGE)
    assert out.read_text() == MESSAGE.title
    with pytest.raises(Undelivered, match="ended with 1"):
        await ProgramSender((sys.executable, "-c", "raise SystemExit(1)")).send(MESSAGE)
    with pytest.raises(Undelivered, match="could not be run"):
        await ProgramSender(("/nonexistent/pager",)).send(MESSAGE)


async def test_a_receiver_that_is_down_delays_nobody_else_and_gets_it_later(tmp_path: Path) -> None:
    seen: list[str] = []
    status = 500

    def answer(request: web.Request, _body: bytes) -> web.Response:
        seen.append(request.path)
        return web.Response(status=status if request.path == "/down" else 200)

    clock = ManualClock()
    async with http(answer) as at:
        routes = [Route(name, (WebhookSender(f"http://{at}/{name}"),)) for name in ("down", "up")]
        told = Notifications(routes, clock, tmp_path, "xen1")
        told.changed([FULL])
        clock.advance(30)
        for schedule in told._schedules.values():
            await told.turn(schedule)
        assert (told.delivered, told.failed) == ({"down": 0, "up": 1}, {"down": 1, "up": 0})
        status = 200
        clock.advance(5)
        for schedule in told._schedules.values():
            await told.turn(schedule)
    assert seen == ["/down", "/up", "/down"]
    again = Notifications(routes, clock, tmp_path, "xen1")
    again.changed([FULL])
    clock.advance(60)
    assert all(schedule.due(clock.now()) is None for schedule in again._schedules.values())


async def test_after_a_reload_a_new_destination_hears_of_what_is_open_and_an_old_one_nothing_twice(
    tmp_path: Path,
) -> None:
    seen: list[str] = []

    def answer(request: web.Request, _body: bytes) -> web.Response:
        seen.append(request.path)
        return web.Response()

    async with http(answer) as at:
        old, new = (Route(name, (WebhookSender(f"http://{at}/{name}"),), group_for=0.0) for name in ("old", "new"))
        notifications = Notifications([old], SystemClock(), tmp_path, "xen1")
        notifications.changed([FULL])
        running = asyncio.create_task(notifications.run())
        try:
            await eventually(lambda: seen == ["/old"])
            notifications.replace([old, new], "https://xen1.example.org", [FULL])
            await eventually(lambda: seen == ["/old", "/new"])
        finally:
            running.cancel()
        assert (notifications.delivered, notifications.waiting) == ({"old": 1, "new": 1}, {"old": 0, "new": 0})


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.02)
    assert holds()


def test_what_a_guest_wrote_drives_no_terminal() -> None:
    evil = replace(FULL, diagnosis=replace(FULL.diagnosis, cause="a\x1b[2Jb", title="t\x07"))
    message = compose("xen1", "opened", [evil])
    assert "\x1b" not in message.body
    assert "\x07" not in message.title


def test_many_incidents_are_one_message_with_the_worst_in_its_title() -> None:
    many = [replace(FULL, id=str(n), diagnosis=replace(FULL.diagnosis, severity="error")) for n in range(12)]
    message = compose("xen1", "repeated", [*many, FULL], "https://xen1.example")
    assert message.title.startswith("xen1: still open: 13 incidents, critical: A thin pool is full")
    assert "https://xen1.example/incidents/0123456789ab" in message.body
    assert "And 3 more" in message.body
