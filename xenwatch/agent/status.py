"""The agent's own status, for /api/v1/status and `xenwatch status`."""

from collections import Counter
from typing import Any

from xenwatch import __version__
from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.monitor import Monitor
from xenwatch.host.host import is_control_domain
from xenwatch.model.record import LogRecord
from xenwatch.web.incident_json import stamp

MOST_LOGS = 200
MOST_UNMATCHED = 20
_LONGEST_TEXT = 500


def status_of(monitor: Monitor, registry: IncidentRegistry) -> dict[str, Any]:
    """Host, logs, collectors, rules and incidents in numbers; the latest error lines without a rule."""
    scanner = monitor.pipeline.scanner
    return {
        "version": 1,
        "xenwatch": __version__,
        "host": {"xen_dom0": is_control_domain(monitor.host.paths), "sources": monitor.host.sources()},
        "logs": _logs(monitor),
        "collectors": _collectors(monitor),
        "rules": {
            "count": monitor.rules,
            "engine": scanner.engine_name,
            "failures": dict(monitor.pipeline.engine.failures),
        },
        "incidents": {
            "open": 0,
            "explained": 0,
            "resolved": 0,
            **Counter(i.state for i in registry.incidents.values()),
        },
        "unmatched_errors": {
            "count": scanner.unread.total,
            "last": [_unmatched(record) for record in list(scanner.unread.latest())[-MOST_UNMATCHED:]],
        },
    }


def _logs(monitor: Monitor) -> list[dict[str, Any]]:
    by_last_read = sorted(
        monitor.follower.counters.sources.items(), key=lambda item: item[1].last_read or 0.0, reverse=True
    )
    return [
        {
            "path": path,
            "format": monitor.formats.get(path) or monitor.command_logs.formats.get(path),
            "lines": counters.lines,
            "bytes": counters.bytes,
            "lag_bytes": counters.lag_bytes,
            "last_read": stamp(counters.last_read),
            "read_errors": counters.read_errors,
        }
        for path, counters in by_last_read[:MOST_LOGS]
    ]


def _collectors(monitor: Monitor) -> list[dict[str, Any]]:
    health = monitor.last_snapshot.health if monitor.last_snapshot else {}
    return [
        {
            "name": collector.collector,
            "ok": collector.ok,
            "supported": not (collector.ok and collector.last_success is None),
            "duration_seconds": round(collector.duration, 4),
            "last_success": stamp(collector.last_success),
            "error": collector.error,
        }
        for collector in health.values()
    ]


def _unmatched(record: LogRecord) -> dict[str, Any]:
    line = record.position.line or None
    return {"file": record.source.path, "line": line, "at": stamp(record.at), "text": record.text[:_LONGEST_TEXT]}
