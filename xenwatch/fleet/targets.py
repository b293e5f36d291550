"""The agents as targets for Prometheus: a host that left stays for a day, or nobody would be told that it is down."""

from collections.abc import Mapping
from typing import Any

from xenwatch.base.clock import Clock

KEEP_SECONDS = 86_400.0


class Targets:
    """What http_sd answers and file_sd holds; `note` is called after each change of the hosts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}
        """By host: where its metrics are, and when it was last seen."""

    def note(self, hosts: Mapping[str, Mapping[str, str]]) -> None:
        """These are there now."""
        now = self._clock.monotonic()
        self._known |= {host: (about["metrics"], now) for host, about in hosts.items() if about.get("metrics")}
        self._known = {
            host: known
            for host, known in self._known.items()
            if now - known[1] < KEEP_SECONDS and (host not in hosts or hosts[host].get("metrics"))
        }

    def listed(self) -> list[dict[str, Any]]:
        """In the form that Prometheus reads. The label `host` is what tells its alerts from those of no fleet."""
        return [{"targets": [address], "labels": {"host": host}} for host, (address, _) in sorted(self._known.items())]
