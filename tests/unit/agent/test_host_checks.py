"""The agent runs the standing checks of its host now and then, and tells them as one metric."""

from collections.abc import Sequence

import pytest
from hosts.recorded import recorded_host
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from xenwatch.agent.host_checks import HostChecks
from xenwatch.agent.metrics.families import host_check_families
from xenwatch.diagnosis.correlation.standing import CheckResult, checks_among
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import standing_checks
from xenwatch.host.host import Host


@pytest.fixture(scope="module")
def checks() -> list[Rule]:
    return checks_among(standing_checks(None))


class Exposed(Collector):
    """The metric as Prometheus gets it."""

    def __init__(self, results: Sequence[CheckResult]) -> None:
        self._results = results

    def collect(self) -> list[Metric]:
        return list(host_check_families(self._results))


def exposed(results: Sequence[CheckResult]) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Exposed(results))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


async def rounds(host: Host, checks: list[Rule]) -> tuple[list[str], list[str]]:
    """What is exposed after the first look, and after one at the host with a crash kernel."""
    host_checks = HostChecks(host, host.clock, checks)
    await host_checks.look()
    first = exposed(host_checks.results)
    place = host.paths.sys / "kernel/kexec_crash_loaded"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("1\n")
    await host_checks.look()
    return first, exposed(host_checks.results)


async def test_a_check_that_finds_something_is_1_and_0_once_it_is_cured(checks: list[Rule]) -> None:
    async with recorded_host() as host:
        first, later = await rounds(host, checks)
    assert 'xenwatch_host_check{check="crash-kernel-absent",severity="info"} 1.0' in first
    assert 'xenwatch_host_check{check="dom0-memory-unbounded",severity="warning"} 0.0' in first
    assert 'xenwatch_host_check{check="crash-kernel-absent",severity="info"} 0.0' in later


async def test_a_check_that_could_not_be_made_has_no_series(checks: list[Rule]) -> None:
    async with recorded_host() as host:  # no systemctl was recorded, and no program that tells of the clock
        first, _ = await rounds(host, checks)
    assert not [line for line in first if "clock-not-synchronised" in line or "time-service-off" in line]
