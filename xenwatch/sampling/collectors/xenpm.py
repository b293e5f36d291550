"""Physical cpus as the hypervisor sees them, by xenpm: idle time, C-states and P-states, frequency now."""

from collections.abc import Iterable, Iterator, Sequence

from xenwatch.base.errors import CommandFailed, Unsupported
from xenwatch.host.host import Host
from xenwatch.host.parse.xenpm import PhysicalCpu, parse_cpus
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

_STATE = ("cpu", "state")
IDLE = Metric("xen_cpu_idle_seconds_total", "counter", "Time in which a physical cpu had nothing to run", ("cpu",))
ENTERED = Metric("xen_cpu_state_entries_total", "counter", "How often a cpu entered a C- or P-state", _STATE)
SPENT = Metric("xen_cpu_state_seconds_total", "counter", "Time that a cpu spent in a C- or P-state", _STATE)
FREQUENCY = Metric("xen_cpu_frequency_hertz", "gauge", "Frequency of a physical cpu now", ("cpu",))
_QUESTIONS = ("get-cpuidle-states", "get-cpufreq-states")


async def _collect(host: Host) -> Sequence[Sample]:
    """One that the hypervisor does not answer prints nothing: without C-states only P-states are told, and so on."""
    if host.xenstore is None:
        raise Unsupported("xenpm: this is not a control domain")
    try:
        printed = [(await host.runner.run(("xenpm", words), 4.0)).text for words in _QUESTIONS]
    except CommandFailed as error:
        if error.returncode is None:
            raise Unsupported("xenpm: the program is not here") from None
        raise
    return [sample for text in printed for sample in _of(parse_cpus(text))]


def _of(cpus: Iterable[PhysicalCpu]) -> Iterator[Sample]:
    for cpu in cpus:
        labels = (cpu.number,)
        if cpu.idle_ms is not None:
            yield Sample(IDLE, labels, cpu.idle_ms / 1e3)
        if cpu.megahertz is not None:
            yield Sample(FREQUENCY, labels, cpu.megahertz * 1e6)
        for state, count in cpu.entered.items():
            yield Sample(ENTERED, (cpu.number, state), float(count))
        for state, spent in cpu.spent_ms.items():
            yield Sample(SPENT, (cpu.number, state), spent / 1e3)


COLLECTOR = Collector(
    name="xenpm",
    metrics=(IDLE, ENTERED, SPENT, FREQUENCY),
    begin=lambda: _collect,
    interval=30.0,
    deadline=10.0,
    default_on=False,
)
