"""A receiver made from OpenTelemetry's own protos gets incidents as logs, and metrics, from a running agent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from monitoring.stack import agent, until

from xenwatch.base.clock import Clock, ManualClock, SystemClock
from xenwatch.base.errors import ConfigError
from xenwatch.config.integrations import OtlpSettings
from xenwatch.config.loader import load_config
from xenwatch.config.otlp import otlp_access
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import Subject
from xenwatch.notify.otlp import OtlpExport

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otlp` is not installed")

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

TOLD = Diagnosis(
    rule="vif-bridge-missing", class_="vif-bridge-missing", subject=Subject("domain", "web\udcff"), severity="error",
    title="No bridge of that name", summary="no bridge xenbr7", cause="It was never made.", at=1e9,
)  # fmt: skip
OPEN = Incident("aaa111", TOLD, "open", 1e9, 1e9)
CPU = Metric("xen_domain_cpu_seconds_total", "counter", "CPU time of a domain.", ("domain",))
MEMORY = Metric("xen_domain_memory_current_bytes", "gauge", "Memory of a domain.", ("domain",))
BRIDGE_MISSING = """\
libxl: error: libxl_exec.c:118:libxl_report_child_exitstatus: /etc/xen/scripts/vif-bridge online [7] exited with \
error status 1
Could not find bridge device xenbr7
"""


@dataclass
class Receiver:
    """What a collector takes: OTLP over HTTP, in protobuf."""

    url: str = ""
    status: int = 200
    tokens: set[str] = field(default_factory=set)
    logs: list[Any] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    resources: list[dict[str, str]] = field(default_factory=list)

    async def take_logs(self, request: web.Request) -> web.Response:
        if self.status == 200:
            for part in ExportLogsServiceRequest.FromString(await request.read()).resource_logs:
                self._take(request, part.resource)
                self.logs += [record for scope in part.scope_logs for record in scope.log_records]
        return web.Response(status=self.status)

    async def take_metrics(self, request: web.Request) -> web.Response:
        for part in ExportMetricsServiceRequest.FromString(await request.read()).resource_metrics:
            self._take(request, part.resource)
            self.metrics.update((metric.name, metric) for scope in part.scope_metrics for metric in scope.metrics)
        return web.Response()

    def _take(self, request: web.Request, resource: Any) -> None:
        self.tokens.add(request.headers.get("Authorization", ""))
        self.resources.append(attributes(resource))


def attributes(one: Any) -> dict[str, str]:
    return {item.key: item.value.string_value for item in one.attributes}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    app = web.Application()
    app.add_routes([web.post("/v1/logs", one.take_logs), web.post("/v1/metrics", one.take_metrics)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


def export_to(url: str, clock: Clock | None = None, **more: Any) -> OtlpExport:
    return OtlpExport(otlp_access(OtlpSettings(endpoint=url, **more)), clock or SystemClock(), "xen1")


async def test_an_incident_is_a_log_record_with_severity_and_attributes(receiver: Receiver, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("collector-of-the-test\n")
    token.chmod(0o600)
    export = export_to(receiver.url, token_file=token)
    export.changed([OPEN])
    await export.turn()
    (record,) = receiver.logs
    assert (record.severity_text, record.severity_number, record.event_name) == ("error", 17, "xenwatch.incident")
    assert record.body.string_value == "open: No bridge of that name"
    said = attributes(record)
    assert (said["xenwatch.incident.id"], said["xenwatch.incident.subject.name"]) == ("aaa111", "web?")
    assert receiver.resources[0]["host.name"] == "xen1"
    assert receiver.resources[0]["service.name"] == "xenwatch"
    assert receiver.tokens == {"Bearer collector-of-the-test"}


async def test_each_change_is_told_once_and_what_was_known_at_the_start_is_not_told_again(receiver: Receiver):
    export = export_to(receiver.url)
    export.know([OPEN])
    export.changed([OPEN, replace(OPEN, last_seen=2e9)])
    await export.turn()
    assert receiver.logs == []
    export.changed([replace(OPEN, state="resolved", resolved=2e9)])
    await export.turn()
    await export.turn()
    assert [attributes(record)["xenwatch.incident.state"] for record in receiver.logs] == ["resolved"]


async def test_counters_are_monotonic_sums_and_all_others_gauges(receiver: Receiver):
    export = export_to(receiver.url)
    export.sampled(Snapshot(5.0, (Sample(CPU, ("web",), 12.5), Sample(MEMORY, ("web",), 1024.0))))
    await export.turn()
    cpu, memory = receiver.metrics[CPU.name], receiver.metrics[MEMORY.name]
    assert cpu.sum.is_monotonic
    assert (cpu.sum.data_points[0].as_double, attributes(cpu.sum.data_points[0])) == (12.5, {"domain": "web"})
    assert memory.gauge.data_points[0].time_unix_nano == 5_000_000_000


async def test_without_metrics_every_only_incidents_are_pushed(receiver: Receiver):
    export = export_to(receiver.url, metrics_every=0.0)
    export.sampled(Snapshot(5.0, (Sample(CPU, ("web",), 12.5),)))
    await export.turn()
    assert receiver.metrics == {}


async def test_what_a_collector_refuses_waits_and_the_log_says_so_once(receiver: Receiver, caplog):
    receiver.status, clock = 400, ManualClock()
    export = export_to(receiver.url, clock)
    export.changed([OPEN])
    await export.turn()
    await export.turn()  # too early to try again
    assert len([r for r in caplog.records if "tried again later" in r.message]) == 1
    receiver.status = 200
    clock.advance(5)
    await export.turn()
    assert len(receiver.logs) == 1


@pytest.mark.timeout(300)
async def test_a_running_agent_pushes_its_incidents_and_metrics(receiver: Receiver, tmp_path: Path):
    async with agent(tmp_path, f'[otlp]\nendpoint = "{receiver.url}"\nmetrics_every = "1s"\n') as (_address, logs):
        (logs / "xl-web.log").write_text(BRIDGE_MISSING)

        async def arrived() -> bool:
            return bool(receiver.logs) and "xen_domain_info" in receiver.metrics

        await until(arrived, seconds=200)  # the first start compiles all rules
    assert "vif-bridge-missing" in {attributes(record)["xenwatch.incident.rule"] for record in receiver.logs}


async def test_without_an_endpoint_nothing_of_the_sdk_is_asked_for():
    export = OtlpExport(otlp_access(OtlpSettings()), SystemClock(), "xen1")
    export.changed([OPEN])
    await export.turn()
    assert not export._waiting


def test_an_endpoint_that_is_no_address_is_refused(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text('[otlp]\nendpoint = "collector:4318"\n')
    with pytest.raises(ConfigError, match="must begin with http"):
        load_config(path)
