"""What the agent says of itself in /api/v1/status and `xenwatch status`."""

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


def status_of(work: Monitor, ledger: IncidentRegistry) -> dict[str, Any]:
    """Host, logs, collectors, rules and incidents in numbers; the last errors that no rule knows."""
    scanner = work.pipeline.scanner
    return {
        "version": 1,
        "xenwatch": __version__,
        "host": {"xen_dom0": is_control_domain(work.host.paths), "sources": work.host.sources()},
        "logs": _logs(work),
        "collectors": _collectors(work),
        "rules": {"count": work.rules, "engine": scanner.engine_name, "failures": dict(work.pipeline.engine.failures)},
        "incidents": {"open": 0, "explained": 0, "resolved": 0, **Counter(i.state for i in ledger.known.values())},
        "unmatched_errors": {
            "count": scanner.unmatched_total,
            "last": [_unmatched(record) for record in list(scanner.unmatched)[-MOST_UNMATCHED:]],
        },
    }


def _logs(work: Monitor) -> list[dict[str, Any]]:
    counted = sorted(work.follower.counters.sources.items(), key=lambda item: item[1].last_read or 0.0, reverse=True)
    return [
        {
            "path": path,
            "format": work.dialects.get(path) or work.command_logs.dialects.get(path),
            "lines": one.lines,
            "bytes": one.bytes,
            "lag_bytes": one.lag_bytes,
            "last_read": stamp(one.last_read),
            "read_errors": one.read_errors,
        }
        for path, one in counted[:MOST_LOGS]
    ]


def _collectors(work: Monitor) -> list[dict[str, Any]]:
    health = work.last_snapshot.health if work.last_snapshot else {}
    return [
        {
            "name": one.collector,
            "ok": one.ok,
            "supported": not (one.ok and one.last_success is None),
            "duration_seconds": round(one.duration, 4),
            "last_success": stamp(one.last_success),
            "error": one.error,
        }
        for one in health.values()
    ]


def _unmatched(record: LogRecord) -> dict[str, Any]:
    line = record.position.line or None
    return {"file": record.source.path, "line": line, "at": stamp(record.at), "text": record.text[:_LONGEST_TEXT]}
