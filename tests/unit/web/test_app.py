import gzip
import json
import re
import socket
from pathlib import Path

import aiohttp
import pytest
from hosts.served import Served

from xenwatch.base.errors import Unavailable
from xenwatch.web.app import build_app, serve
from xenwatch.web.context import PartHealth
from xenwatch.web.server.loopback import is_loopback

HOSTILE = '<script>alert("1")</script>'


async def test_metrics_are_plain_text_or_openmetrics_as_asked_and_compressed_where_accepted(served: Served):
    async with aiohttp.ClientSession(served.url, auto_decompress=False) as raw:
        plain = await raw.get("/metrics", headers={"Accept-Encoding": "identity"})
        assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        body = await plain.read()
        assert body.endswith(b'xen_bridge_ports{bridge="x\\"\\n"} 2\nown_total 1\n')
        packed = await raw.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert gzip.decompress(await packed.read()) == body


async def test_every_answer_carries_the_security_headers(client: aiohttp.ClientSession):
    for path in ("/", "/metrics", "/healthz", "/api/v1/incidents", "/nothing-here"):
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path


async def test_health_is_503_as_soon_as_one_part_makes_no_progress(served: Served, client: aiohttp.ClientSession):
    assert (await client.get("/healthz")).status == 200
    served.checks = (PartHealth("logs", True, 0.5), PartHealth("sampling", False, 300.04, "no cycle"))
    answer = await client.get("/healthz")
    assert answer.status == 503
    assert (await answer.json())["checks"][1] == {
        "name": "sampling", "ok": False, "age_seconds": 300.0, "detail": "no cycle",
    }  # fmt: skip


async def test_it_is_not_ready_before_the_first_look_is_over(served: Served, client: aiohttp.ClientSession):
    served.waiting = "the first sampling cycle"
    answer = await client.get("/readyz")
    assert (answer.status, (await answer.json())["waiting_for"]) == (503, "the first sampling cycle")
    served.waiting = None
    assert (await client.get("/readyz")).status == 200


async def test_incidents_are_listed_and_filtered(served: Served, client: aiohttp.ClientSession, an_incident):
    served.know(an_incident("web"), an_incident("db", state="resolved", resolved=1e9 + 90))

    async def names(query: str) -> list[str]:
        return [
            i["subject"]["name"] for i in (await (await client.get(f"/api/v1/incidents{query}")).json())["incidents"]
        ]

    assert await names("") == ["web", "db"]
    assert await names("?state=resolved") == ["db"]
    assert await names("?name=web&class=vif-bridge-missing&severity=warning") == ["web"]
    assert await names("?severity=critical") == []
    assert await names("?limit=1") == ["web"]


@pytest.mark.parametrize(
    "query", ["?stat=open", "?state=closed", "?severity=bad", "?limit=0", "?limit=x", "?limit=9999"]
)
async def test_a_filter_that_makes_no_sense_is_refused_with_words(client: aiohttp.ClientSession, query: str):
    answer = await client.get(f"/api/v1/incidents{query}")
    assert answer.status == 400
    assert (await answer.json())["error"]


async def test_one_incident_is_shown_whole_with_evidence_and_history(
    served: Served, client: aiohttp.ClientSession, an_incident
):
    symptom = an_incident("symptom", state="explained", explained_by="v-web")
    served.know(an_incident("web"), symptom)
    shown = (await (await client.get("/api/v1/incidents/v-w")).json())["incident"]
    assert shown["id"] == "v-web"
    assert shown["role"] == "cause"
    assert shown["explains"] == ["v-symptom"]
    assert [(one["title"], one["subject"]["name"]) for one in shown["consequences"]] == [("No bridge", "symptom")]
    assert shown["explanation"] is None
    assert shown["history"] == [{"at": "2001-09-09T01:46:40Z", "what": "opened", "detail": "no bridge"}]
    assert shown["evidence"][0] == {
        "summary": "the script said so", "file": "/var/log/xen/xl-web.log", "line": 7, "at": "2001-09-09T01:46:40Z",
        "text": "no bridge",
    }  # fmt: skip
    assert shown["evidence"][1]["labels"] == {"bridge": "xenbr0"}
    assert shown["evidence"][2]["value"] == ["br0"]


async def test_an_unknown_or_ambiguous_id_is_not_found(served: Served, client: aiohttp.ClientSession, an_incident):
    served.know(an_incident("web"), an_incident("web2"))
    assert (await client.get("/api/v1/incidents/v-")).status == 404
    assert (await client.get("/api/v1/incidents/nothing")).status == 404
    assert (await client.get("/api/v1/incidents/v-web")).status == 200


async def test_a_person_acknowledges_an_incident(served: Served, client: aiohttp.ClientSession, an_incident, as_ann):
    served.know(an_incident("web"))
    answer = await client.post("/api/v1/incidents/v-web/acknowledge", json={"by": "ann"}, headers=as_ann)
    assert (await answer.json())["incident"]["acknowledged_by"] == "ann"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"json": {}}, 400),
        ({"json": {"by": ""}}, 400),
        ({"json": {"by": "a\nb"}}, 400),
        ({"json": ["x"]}, 400),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b'{"by": "x"}', "headers": {"Content-Type": "text/plain"}}, 415),
        ({"json": {"by": "x"}, "headers": {"Origin": "http://evil.example"}}, 415),
        ({"json": {"by": "x" * 70_000}}, 413),
    ],
)
async def test_an_acknowledgement_that_a_web_page_could_send_or_that_says_nothing_is_refused(
    served: Served, client: aiohttp.ClientSession, an_incident, as_ann, sent: dict, code: int
):
    served.know(an_incident("web"))
    sent = {**sent, "headers": as_ann | sent.get("headers", {})}
    assert (await client.post("/api/v1/incidents/v-web/acknowledge", **sent)).status == code
    assert served.known["v-web"].acknowledged_by is None


async def test_a_name_that_was_pointed_at_the_loopback_from_outside_is_refused(client: aiohttp.ClientSession):
    assert (await client.get("/api/v1/incidents", headers={"Host": "evil.example"})).status == 421
    assert (await client.get("/api/v1/incidents", headers={"Host": "localhost:10197"})).status == 200


async def test_what_a_guest_wrote_is_escaped_on_the_start_page(
    served: Served, client: aiohttp.ClientSession, an_incident
):
    served.know(an_incident(HOSTILE))
    page = await (await client.get("/")).text()
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "1 open incident" in page


async def test_what_a_guest_wrote_stays_json(served: Served, client: aiohttp.ClientSession, an_incident):
    served.know(an_incident(HOSTILE + "\udcff\x00"))
    answer = await client.get("/api/v1/incidents")
    assert answer.content_type == "application/json"
    assert json.loads(await answer.read())["incidents"][0]["subject"]["name"] == HOSTILE + "\udcff\x00"


async def test_an_unforeseen_error_is_logged_and_told_without_its_insides(
    served: Served, client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
):
    served.checks = None  # type: ignore[assignment]
    answer = await client.get("/healthz")
    assert answer.status == 500
    assert "NoneType" not in await answer.text()
    assert "answering GET /healthz failed" in caplog.text


async def test_a_method_that_is_not_there_says_which_are(client: aiohttp.ClientSession):
    answer = await client.post("/metrics")
    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]


async def test_a_port_that_is_taken_is_an_error_that_names_the_way_out(served: Served):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="--listen"):
        await serve(build_app(served.view(), loopback=True), "127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "yes"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("xen1", False)]
)
def test_what_is_loopback(host: str, yes: bool):
    assert is_loopback(host) is yes


def test_every_path_is_in_the_manual_and_no_other(served: Served):
    manual = (Path(__file__).parents[3] / "docs" / "http.md").read_text()
    told = set(re.findall(r"^\| `(GET|POST) (\S+)`", manual, re.MULTILINE))
    routes = build_app(served.view(), loopback=True).router.routes()
    assert told == {(r.method, r.resource.canonical) for r in routes if r.method != "HEAD" and r.resource}
