"""`xenwatch check` asks Alertmanager and a collector whether they answer, and looks at what assistants may read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from monitoring.stack import alertmanager

from xenwatch.config.integrations import AlertmanagerSettings, McpSettings, OtlpSettings
from xenwatch.triage.check_finding import CheckFinding
from xenwatch.triage.check_integrations import alertmanager_findings, mcp_findings, otlp_findings

NOBODY = "http://127.0.0.1:9"


async def all_of(findings: AsyncIterator[CheckFinding]) -> list[CheckFinding]:
    return [finding async for finding in findings]


async def test_sections_that_are_not_set_say_nothing():
    assert not list(mcp_findings(McpSettings()))
    assert not await all_of(alertmanager_findings(AlertmanagerSettings()))
    assert not await all_of(otlp_findings(OtlpSettings()))


async def test_an_alertmanager_that_runs_answers_and_one_that_does_not_is_a_warning(tmp_path: Path):
    config = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    labels = ("instance=xen1:10197",)
    async with alertmanager(tmp_path, config) as port:
        (well,) = await all_of(alertmanager_findings(AlertmanagerSettings(f"http://127.0.0.1:{port}", labels)))
        assert (well.about, well.verdict) == ("alertmanager.url", "ok")
        (wrong,) = await all_of(alertmanager_findings(AlertmanagerSettings(f"http://127.0.0.1:{port}/am", labels)))
        assert wrong.verdict == "error"
        assert "HTTP 404" in wrong.words
    (gone,) = await all_of(alertmanager_findings(AlertmanagerSettings(NOBODY, labels)))
    assert gone.verdict == "warning"
    assert "does not answer" in gone.words


async def test_a_file_that_cannot_be_used_is_an_error_before_anybody_is_asked(tmp_path: Path):
    missing = tmp_path / "missing"
    labels = ("instance=xen1:10197",)
    (token,) = await all_of(alertmanager_findings(AlertmanagerSettings(NOBODY, labels, token_file=missing)))
    (authority,) = await all_of(alertmanager_findings(AlertmanagerSettings(NOBODY, labels, tls_ca=missing)))
    (collector,) = await all_of(otlp_findings(OtlpSettings(NOBODY, tls_ca=missing)))
    assert [token.verdict, authority.verdict, collector.verdict] == ["error"] * 3
    assert "cannot be read" in token.words


async def test_a_collector_is_handed_no_record_at_all_and_its_answer_counts():
    pytest.importorskip("opentelemetry.proto", reason="the extra `otlp` is not installed")
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest  # noqa: PLC0415

    async def take(request: web.Request) -> web.Response:
        assert not ExportLogsServiceRequest.FromString(await request.read()).resource_logs
        return web.Response(status=200 if request.headers["Content-Type"] == "application/x-protobuf" else 415)

    app = web.Application()
    app.router.add_post("/v1/logs", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        (well,) = await all_of(otlp_findings(OtlpSettings(f"http://127.0.0.1:{port}/")))
        assert (well.about, well.verdict) == ("otlp.endpoint", "ok")
    finally:
        await runner.cleanup()


def test_folders_of_bundles_and_the_token_are_looked_at(tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    token.chmod(0o644)
    said = {
        finding.words: finding.verdict
        for finding in mcp_findings(McpSettings((str(tmp_path), str(tmp_path / "gone")), token))
        if finding.about != "mcp"
    }
    assert list(said.values()) == ["ok", "warning", "error"]
    token.chmod(0o600)
    assert [finding.verdict for finding in mcp_findings(McpSettings((), token)) if finding.about != "mcp"] == ["ok"]
