"""Webhooks in: who sends is proven, what is sent is checked, and a delivery twice is a delivery once."""

import hashlib
import hmac
import json
from collections.abc import Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from xenwatch.base.errors import StoreError
from xenwatch.model.action import Alert
from xenwatch.web.rate_limit import RateLimiter
from xenwatch.web.webhook_auth import WebhookSenders
from xenwatch.web.webhooks import LARGEST, _Bad, parse, routes

NOW = 1_700_000_000
SENDERS = WebhookSenders(bearer=("old", "s3cret"), basic={"am": "pass"}, keys=(b"new", b"old"))
ALERT = {
    "status": "firing",
    "labels": {"alertname": "GuestDown", "domain": "web"},
    "startsAt": "2023-11-14T22:13:20Z",
    "fingerprint": "f1",
}


class Desk:
    def __init__(self) -> None:
        self.taken: list[Alert] = []
        self.nonces: set[str] = set()
        self.broken = False

    async def take_alerts(self, alerts: Sequence[Alert]) -> int:
        if self.broken:
            raise StoreError("disk full")
        self.taken += alerts
        return len(alerts)

    async def first_use(self, nonce: str) -> bool:
        fresh = nonce not in self.nonces
        self.nonces.add(nonce)
        return fresh


@pytest.fixture
async def sent():
    service = Desk()
    app = web.Application()
    app.add_routes(routes(service, SENDERS, now=lambda: NOW))
    async with TestClient(TestServer(app)) as client:
        yield service, client


def body(**more) -> bytes:
    return json.dumps({"version": "4", "status": "firing", "alerts": [ALERT], "truncatedAlerts": 0} | more).encode()


BEARER = {"Authorization": "Bearer s3cret"}


async def test_a_delivery_is_taken_and_acknowledged_with_202(sent):
    service, client = sent
    answer = await client.post("/hooks/alertmanager", data=body(), headers=BEARER)
    assert answer.status == 202
    assert [alert.labels["domain"] for alert in service.taken] == ["web"]


async def test_basic_authentication_is_taken_too(sent):
    _desk, client = sent
    answer = await client.post("/hooks/alertmanager", data=body(), headers={"Authorization": "Basic YW06cGFzcw=="})
    assert answer.status == 202


@pytest.mark.parametrize(
    "header", ["", "Bearer wrong", "Bearer ", "Basic !!!", "Basic YW06d3Jvbmc=", "Bearer s3cre", "s3cret"]
)
async def test_who_is_not_known_is_refused_with_401(sent, header):
    service, client = sent
    answer = await client.post("/hooks/alertmanager", data=body(), headers={"Authorization": header})
    assert answer.status == 401
    assert service.taken == []


async def test_a_delivery_that_was_cut_short_acts_on_nothing(sent):
    service, client = sent
    answer = await client.post("/hooks/alertmanager", data=body(truncatedAlerts=3), headers=BEARER)
    assert answer.status == 202
    assert service.taken == []


async def test_too_large_a_body_is_413(sent):
    _, client = sent
    answer = await client.post("/hooks/alertmanager", data=b"x" * (LARGEST + 1), headers=BEARER)
    assert answer.status == 413


async def test_a_large_body_without_a_length_is_413_too(sent):
    _, client = sent

    async def chunks():
        for _ in range(LARGEST // 1024 + 2):
            yield b"x" * 1024

    answer = await client.post("/hooks/alertmanager", data=chunks(), headers=BEARER)
    assert answer.status == 413


async def test_a_journal_that_cannot_be_written_is_503_so_that_it_is_sent_again(sent):
    service, client = sent
    service.broken = True
    answer = await client.post("/hooks/alertmanager", data=body(), headers=BEARER)
    assert answer.status == 503


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"[]", b"{", b"null", b"[" * 100_000, body(version="9"), body(alerts={}), body(alerts=[1]),
        body(alerts=[ALERT | {"labels": {"a": 1}}]), body(alerts=[ALERT | {"status": "maybe"}]),
        body(alerts=[ALERT | {"startsAt": None}]), body(alerts=[ALERT] * 1001),
        body(alerts=[ALERT | {"labels": {"a": "x" * 2000}}]),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_what_it_should_be_is_400(sent, bad):
    service, client = sent
    answer = await client.post("/hooks/alertmanager", data=bad, headers=BEARER)
    assert answer.status == 400
    assert service.taken == []


def signed(data: bytes, key: bytes = b"new", stamp: int = NOW, nonce: str = "") -> dict[str, str]:
    whole = f"{stamp}:".encode() + (f"{nonce}:".encode() if nonce else b"") + data
    headers = {"X-Grafana-Alerting-Timestamp": str(stamp), "X-Xenwatch-Nonce": nonce}
    return headers | {"X-Grafana-Alerting-Signature": hmac.new(key, whole, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize("key", [b"new", b"old"])
@pytest.mark.parametrize("path", ["grafana", "generic"])
async def test_a_signed_delivery_is_taken_with_either_key(sent, key, path):
    service, client = sent
    answer = await client.post(f"/hooks/{path}", data=body(version="1"), headers=signed(body(version="1"), key))
    assert answer.status == 202
    assert len(service.taken) == 1


async def test_a_signed_delivery_sent_again_is_taken_once(sent):
    service, client = sent
    for _ in range(3):
        answer = await client.post("/hooks/generic", data=body(), headers=signed(body(), nonce="n1"))
        assert answer.status == 202
    assert len(service.taken) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {}, signed(body(), b"stranger"), signed(body() + b" "), signed(body(), stamp=NOW - 301),
        signed(body(), stamp=NOW + 301), signed(body()) | {"X-Grafana-Alerting-Timestamp": "now"},
        signed(body(), nonce="a") | {"X-Xenwatch-Nonce": "b"},
    ],
)  # fmt: skip
async def test_a_signature_that_does_not_hold_or_is_old_or_from_the_future_is_401(sent, headers):
    service, client = sent
    answer = await client.post("/hooks/generic", data=body(), headers=headers)
    assert answer.status == 401
    assert service.taken == []


async def test_with_no_sender_configured_nobody_may_send():
    service = Desk()
    app = web.Application()
    app.add_routes(routes(service, WebhookSenders(), now=lambda: NOW))
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/hooks/alertmanager", data=body(), headers=BEARER)).status == 401
        assert (await client.post("/hooks/generic", data=body(), headers=signed(body(), b""))).status == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(data=st.one_of(st.binary(max_size=200), st.builds(lambda x: json.dumps(x).encode(), JSON)))
def test_whatever_is_sent_is_alerts_or_refused(data):
    try:
        alerts = parse(data)
    except _Bad:
        return
    assert all(isinstance(alert, Alert) for alert in alerts)


TEXT = st.text(max_size=12)
ALERTS = st.fixed_dictionaries({
    "status": st.sampled_from(["firing", "resolved"]) | JSON,
    "labels": st.dictionaries(TEXT, TEXT, max_size=4) | JSON,
    "startsAt": TEXT | JSON,
})  # fmt: skip
taken, refused = [0], [0]


@given(alerts=st.lists(ALERTS, max_size=2))
def test_alerts_of_any_form_are_checked(alerts):
    try:
        parsed = parse(json.dumps({"version": "4", "alerts": alerts}).encode())
    except _Bad:
        refused[0] += 1
        return
    taken[0] += bool(parsed)
    assert all(isinstance(value, str) for alert in parsed for value in alert.labels.values())


def test_the_test_before_saw_alerts_that_are_taken_and_alerts_that_are_refused():
    test_alerts_of_any_form_are_checked()
    assert taken[0] > 0
    assert refused[0] > 0


HEAD = b'{"version": "4", "alerts": [{"status": "firing", "startsAt": "x", "labels": '


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b'{"version": "9", "version": "4", "alerts": []}', "a key stands twice"),
        (HEAD + b'{"domain": "web", "domain": "db"}}]}', "a key stands twice"),
        (HEAD + b'{"domain": "\\ud800"}}]}', "half a character"),
        (HEAD + b'{"domain": "\xff"}}]}', "not UTF-8"),
        (b'{"version": "4", "alerts": [], "x": NaN}', "NaN is not JSON"),
        (b'{"version": "4", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "not JSON"),
        (b'{"version": "4", "x": ' + b"9" * 100_000 + b"}", "not JSON"),
        (HEAD + b'{"' + b"k" * 2000 + b'": "x"}}]}', "labels must be"),
    ],
)
async def test_json_that_two_readers_would_read_differently_or_that_cannot_be_kept_is_400(sent, bad, words):
    service, client = sent
    answer = await client.post("/hooks/alertmanager", data=bad[:LARGEST], headers=BEARER)
    assert answer.status == 400
    assert words in (await answer.json())["error"] or len(bad) > LARGEST
    assert service.taken == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("alertmanager", "Authorization"), ("generic", "X-Grafana-Alerting-Signature"), ("generic", "X-Xenwatch-Nonce"),
        ("generic", "X-Grafana-Alerting-Timestamp"),
    ],
)  # fmt: skip
async def test_headers_that_are_no_utf_8_are_refused_and_nothing_breaks(sent, path, name):
    _desk, client = sent
    headers = signed(body()) | {name: "Bearer \udcff\udcfe"}
    assert (await client.post(f"/hooks/{path}", data=body(), headers=headers)).status == 401


async def test_who_delivers_too_often_is_told_when_to_come_again_and_strangers_use_up_nothing_of_it():
    service = Desk()
    app = web.Application()
    app.add_routes(routes(service, SENDERS, now=lambda: NOW, per_minute=3))
    async with TestClient(TestServer(app)) as client:

        async def post(path: str, headers: dict[str, str]) -> tuple[int, str]:
            answer = await client.post(f"/hooks/{path}", data=body(), headers=headers)
            return answer.status, answer.headers.get("Retry-After", "")

        assert [await post("alertmanager", {}) for _ in range(4)] == [(401, "")] * 3 + [(503, "20")]
        assert await post("generic", signed(body(), b"stranger")) == (503, "20")
        assert [await post("alertmanager", BEARER) for _ in range(4)] == [(202, "")] * 3 + [(503, "20")]
    assert len(service.taken) == 3


def test_a_pace_fills_up_again_with_time_and_remembers_a_bounded_number():
    now = [0.0]
    pace = RateLimiter(60, lambda: now[0])
    for _ in range(60):
        pace.take("a")
    assert pace.wait("a") == 1
    assert pace.wait("b") == 0
    now[0] += 2
    pace.take("a")
    pace.take("a")
    assert pace.wait("a") == 1
    now[0] += 3600
    assert [pace.wait("a"), *(pace.take(n) for n in range(10_000))][0] == 0
    assert len(pace._left) <= 4096
