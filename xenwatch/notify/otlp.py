"""Pushes incidents as logs, and metrics, to a collector of OpenTelemetry (OTLP over HTTP), by the kept SDK."""

import asyncio
import importlib.util
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError
from xenwatch.base.growing_pause import GrowingPause
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Snapshot
from xenwatch.notify.senders import Undelivered

log = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Changes of incidents that wait for a collector that does not answer; the oldest are dropped first."""
_EVERY, _DEADLINE = 1.0, 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class OtlpAccess:
    """How the collector is reached. `metrics_every`: seconds between two pushes of metrics; 0: none."""

    endpoint: str
    metrics_every: float
    token: Callable[[], str] | None = None
    tls_ca: str | None = None


class OtlpExport:
    """Without access it does nothing, and loads nothing of the SDK."""

    def __init__(self, access: OtlpAccess | None, clock: Clock, host: str) -> None:
        """InputError where the SDK is not installed."""
        if access is not None and importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is None:
            raise InputError("[otlp] endpoint needs the SDK of OpenTelemetry: pip install 'xenwatch[otlp]'")
        self._access, self._clock, self._host = access, clock, host
        self._known: dict[str, tuple[Any, ...]] = {}
        self._waiting: deque[tuple[Incident, float]] = deque(maxlen=MOST_WAITING)
        self._snapshot: Snapshot | None = None
        self._pause, self._metrics_at = GrowingPause(clock, _FIRST_PAUSE, _LONGEST_PAUSE), 0.0

    def know(self, incidents: Iterable[Incident]) -> None:
        """At the start: what was told before is not told again."""
        self._known.update((incident.id, _status(incident)) for incident in incidents)

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended; each change of state, severity or acknowledgement is a record."""
        if self._access is None:
            return
        for incident in incidents:
            if self._known.get(incident.id) != _status(incident):
                self._known[incident.id] = _status(incident)
                self._waiting.append((incident, self._clock.now()))

    def sampled(self, snapshot: Snapshot) -> None:
        """The last sampling cycle."""
        self._snapshot = snapshot

    async def run(self) -> None:
        """Until cancelled."""
        while self._access is not None:
            await self.turn()
            await self._clock.sleep(_EVERY)
        await asyncio.Event().wait()

    async def turn(self) -> None:
        """Push what is due. Where the collector does not answer it is tried again, after growing pauses."""
        if self._access is None or self._pause.lasts:
            return
        logs = list(self._waiting)
        try:
            if logs:
                await asyncio.to_thread(_push_logs, self._access, self._host, logs)
                for sent in logs:
                    if self._waiting and self._waiting[0] is sent:
                        self._waiting.popleft()
            await self._push_metrics(self._access)
        except Undelivered as error:
            self._pause.failed()
            log.warning("the collector of OpenTelemetry has not taken a push, and is tried again later: %s", error)
        else:
            self._pause.succeeded()

    async def _push_metrics(self, access: OtlpAccess) -> None:
        snapshot, now = self._snapshot, self._clock.monotonic()
        if access.metrics_every and snapshot is not None and snapshot.samples and now >= self._metrics_at:
            await asyncio.to_thread(_push_metrics, access, self._host, snapshot)
            self._metrics_at = now + access.metrics_every


def _status(incident: Incident) -> tuple[Any, ...]:
    return incident.state, incident.diagnosis.severity, incident.acknowledged_by, incident.explained_by


def _push_logs(access: OtlpAccess, host: str, logs: Iterable[tuple[Incident, float]]) -> None:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415  an optional extra

    from xenwatch.notify.otlp_records import log_of, resource_of  # noqa: PLC0415

    resource = resource_of(host)
    exporter = OTLPLogExporter(**_options(access, "logs"))
    try:
        _must_be_taken(exporter.export([log_of(incident, at, resource) for incident, at in logs]))
    finally:
        exporter.shutdown()


def _push_metrics(access: OtlpAccess, host: str, snapshot: Snapshot) -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415

    from xenwatch.notify.otlp_records import metrics_of, resource_of  # noqa: PLC0415

    exporter = OTLPMetricExporter(**_options(access, "metrics"))
    try:
        _must_be_taken(exporter.export(metrics_of(snapshot, resource_of(host))))
    finally:
        exporter.shutdown()


def _options(access: OtlpAccess, signal: str) -> dict[str, Any]:
    # It logs each failure itself, several times; ours is one line with the next step.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    headers = {"Authorization": f"Bearer {access.token()}"} if access.token is not None else {}
    options = {"endpoint": f"{access.endpoint}/v1/{signal}", "headers": headers, "timeout": _DEADLINE}
    return options | ({"certificate_file": access.tls_ca} if access.tls_ca else {})


def _must_be_taken(result: Any) -> None:
    if result.name != "SUCCESS":
        raise Undelivered("it refused, or did not answer")
