"""What an assistant may ask the running agent and its record; nothing here changes anything."""

import os
from dataclasses import asdict
from itertools import islice
from typing import Any

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.cli._client import Running
from xenwatch.cli._mcp.untrusted import marked
from xenwatch.cli._top.frame import TopFrame, rows
from xenwatch.cli._top.sources import parsed
from xenwatch.config.sections import Config
from xenwatch.remediation.open import RUN_STORE
from xenwatch.remediation.store.run_store import RunStore
from xenwatch.web.incident_json import stamp

MOST_SERIES = 500


class Watching:
    """The agent of this host, or the one at the address of `--url`."""

    def __init__(self, running: Running, config: Config) -> None:
        self._running, self._config = running, config

    def incidents(self, state: str, limit: int) -> dict[str, Any]:
        """A line for each, the most likely root cause first."""
        found, origin = self._running.incidents()
        matching = [incident for incident in found if state in ("any", incident["state"])]
        keys = ("id", "state", "rule", "class", "severity", "role", "subject", "title", "cause", "last_seen")
        listed = [{key: incident[key] for key in keys} for incident in matching[:limit]]
        return {"total": len(matching), "incidents": marked(listed), "origin": origin}

    def incident(self, incident: str) -> dict[str, Any]:
        """One whole."""
        whole: dict[str, Any] = marked(self._running.incident(incident))
        return whole

    def guests(self) -> list[dict[str, Any]]:
        """The domains as they are now."""
        incidents = self._running.get("/api/v1/incidents?state=open&full=1")["incidents"]
        now = TopFrame(self._metrics(), tuple(incidents))
        return [
            marked({
                "name": row.name, "domid": row.domid, "state": row.state, "cpu_seconds": row.cpu_seconds,
                "memory_bytes": row.memory_bytes, "vcpus": row.vcpus,
                "incidents": [{"id": one["id"]} for one in row.incidents],
            })
            for row in rows(now, None)
        ]  # fmt: skip

    def metrics(self, name: str, guest: str | None) -> dict[str, Any]:
        """The series with a name that begins so, as they are now."""
        wanted = (
            {"metric": metric, "labels": labels, "value": value}
            for metric, series in self._metrics().items()
            for labels, value in series
            if metric.startswith(name) and guest in (None, labels.get("domain"))
        )
        shown = list(islice(wanted, MOST_SERIES + 1))
        return {"series": marked(shown[:MOST_SERIES]), "more": len(shown) > MOST_SERIES}

    def unread(self) -> dict[str, Any]:
        """Error lines that no rule matches."""
        unmatched = self._running.get("/api/v1/status")["unmatched_errors"]
        return {"count": unmatched["count"], "lines": marked(unmatched["last"], "lines")}

    def audit(self, limit: int) -> list[dict[str, Any]]:
        """The last entries of the record of remediation, oldest first."""
        path = self._config.agent.state_dir / RUN_STORE
        if not path.exists():
            raise InputError("there is no record of remediation on this host")
        store = RunStore(path, SystemClock(), f"mcp-{os.getpid()}")
        try:
            entries = list(store.entries())[-limit:]
        finally:
            store.close()
        return [marked({**asdict(entry), "at": stamp(entry.wall)}) for entry in entries]

    def _metrics(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        return parsed(self._running.text("/metrics"))
