"""Where `top` reads from: a running agent, or the host itself if no agent answers."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from prometheus_client.parser import text_string_to_metric_families

from xenwatch.base.errors import XenwatchError
from xenwatch.cli._client import Running
from xenwatch.cli._top.frame import Series, TopFrame, series
from xenwatch.host.host import Host
from xenwatch.sampling.catalogue import all_collectors
from xenwatch.sampling.sampler import Sampler

_LARGEST = 64 * 1024 * 1024
_NEEDED = ("domain", "hypervisor", "memory", "vbd", "vcpu", "vif")
"""The collectors of what is shown; without an agent only these run."""


class TopSource(Protocol):
    """Gives a frame each time it is asked."""

    async def read(self) -> TopFrame:
        """The present state. Raises Unavailable if nobody answers."""

    async def close(self) -> None:
        """Close its connections."""


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
    """The host itself. The incidents are those in the state database of the last agent, if there is one."""

    def __init__(self, host: Host, incidents: Callable[[], tuple[list[dict[str, Any]], str]]) -> None:
        collectors = all_collectors()
        self._host, self._incidents = host, incidents
        self._sampler = Sampler([collectors[name] for name in _NEEDED], host, host.clock)

    async def read(self) -> TopFrame:
        snapshot = await self._sampler.take_once()
        errors = sorted({health.error for health in snapshot.health.values() if not health.ok and health.error})
        try:
            incidents, origin = await asyncio.to_thread(self._incidents)
        except XenwatchError:
            incidents, origin = (
                [],
                "no agent runs here, so incidents are not known (xenwatch diagnose --live finds them)",
            )
        opened = tuple(incident for incident in incidents if incident["state"] == "open")
        return TopFrame(series(snapshot.samples), opened, origin, "; ".join(errors))

    async def close(self) -> None:
        await self._host.close()


def parsed(text: str) -> dict[str, list[Series]]:
    """Samples in the text format of Prometheus, by name."""
    by_name: dict[str, list[Series]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            by_name.setdefault(sample.name, []).append((sample.labels, sample.value))
    return by_name
