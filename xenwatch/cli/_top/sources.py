"""Where `top` reads from: a running agent, or the host itself where none answers."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from prometheus_client.parser import text_string_to_metric_families

from xenwatch.base.errors import XenwatchError
from xenwatch.cli._client import Running
from xenwatch.cli._top.reading import Series, TopFrame, series
from xenwatch.host.host import Host
from xenwatch.sampling.catalogue import all_collectors
from xenwatch.sampling.sampler import Sampler

_LARGEST = 64 * 1024 * 1024
_NEEDED = ("domain", "hypervisor", "memory", "vbd", "vcpu", "vif")
"""The collectors that tell what is shown; with no agent only these run."""


class TopSource(Protocol):
    """Gives a reading each time it is asked."""

    async def read(self) -> TopFrame:
        """What stands now. Unavailable where nobody answers."""

    async def close(self) -> None:
        """Let go of what is held."""


class AgentSource:
    """A running agent's /metrics and incidents."""

    def __init__(self, running: Running) -> None:
        self._running = running

    async def read(self) -> TopFrame:
        return await asyncio.to_thread(self._read)

    async def close(self) -> None:
        """Nothing is held between two requests."""

    def _read(self) -> TopFrame:
        incidents = self._running.get("/api/v1/incidents?state=open&full=1")["incidents"]
        return TopFrame(parsed(self._running.text("/metrics")), tuple(incidents), self._running.url)


class HostSource:
    """The host itself is asked. Incidents are the last agent's, from its state, where there was one."""

    def __init__(self, host: Host, incidents: Callable[[], tuple[list[dict[str, Any]], str]]) -> None:
        collectors = all_collectors()
        self._host, self._incidents = host, incidents
        self._sampler = Sampler([collectors[name] for name in _NEEDED], host, host.clock)

    async def read(self) -> TopFrame:
        snapshot = await self._sampler.take_once()
        errors = sorted({health.error for health in snapshot.health.values() if not health.ok and health.error})
        try:
            found, origin = await asyncio.to_thread(self._incidents)
        except XenwatchError:
            found, origin = [], "no agent here: incidents are not known (xenwatch diagnose --live)"
        opened = tuple(one for one in found if one["state"] == "open")
        return TopFrame(series(snapshot.samples), opened, origin, "; ".join(errors))

    async def close(self) -> None:
        await self._host.close()


def parsed(text: str) -> dict[str, list[Series]]:
    """Prometheus' text, by sample name."""
    found: dict[str, list[Series]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, []).append((one.labels, one.value))
    return found
