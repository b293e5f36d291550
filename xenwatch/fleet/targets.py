"""The agents as targets for Prometheus: a host that left stays for a day, or nobody would be told that it is down."""

from collections.abc import Mapping
from typing import Any

from xenwatch.base.clock import Clock

KEEP_SECONDS = 86_400.0


class Targets:
    """What http_sd answers and file_sd holds; `note` is called after each change of the hosts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, str] = {}
        """By host: where its metrics are."""
        self._left: dict[str, float] = {}
        """By host that is not there now: since when."""

    def note(self, hosts: Mapping[str, Mapping[str, str]]) -> None:
        """These are there now."""
        now = self._clock.monotonic()
        here = {host: about.get("metrics", "") for host, about in hosts.items()}
        self._known = {host: address for host, address in {**self._known, **here}.items() if address}
        self._left = {host: self._left.get(host, now) for host in self._known.keys() - hosts.keys()}

    def listed(self) -> list[dict[str, Any]]:
        """In the form that Prometheus reads. The label `host` is what tells its alerts from those of no fleet."""
        now = self._clock.monotonic()
        for host in [host for host, since in self._left.items() if now - since >= KEEP_SECONDS]:
            del self._known[host], self._left[host]
        return [{"targets": [address], "labels": {"host": host}} for host, address in sorted(self._known.items())]
