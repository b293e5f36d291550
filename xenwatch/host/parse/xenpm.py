"""What `xenpm` prints of the physical cpus: idle time, C-states and P-states (xen: tools/misc/xenpm.c)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_CPU = re.compile(r"cpu id\s*:\s*(\d+)")
_IDLE = re.compile(r"idle time\(ms\)\s*:\s*(\d+)")
_FREQUENCY = re.compile(r"current frequency\s*:\s*(\d+) MHz")
_STATE = re.compile(r"\*?([CP]\d+)\s*:\s*(?:transition \[\s*(\d+)\]|freq\s)")
_TRANSITION = re.compile(r"\s*transition \[\s*(\d+)\]")
_RESIDENCY = re.compile(r"\s*residency\s+\[\s*(\d+) ms\]")


@dataclass(slots=True)
class PhysicalCpu:
    """Times are milliseconds since the hypervisor started; None where it was not printed."""

    number: str
    idle_ms: int | None = None
    megahertz: int | None = None
    entered: dict[str, int] = field(default_factory=dict)
    """How often each state was entered, by its name: `C1`, `P0`."""
    spent_ms: dict[str, int] = field(default_factory=dict)


def parse_cpus(text: str) -> Iterator[PhysicalCpu]:
    """The blocks of `get-cpuidle-states` or `get-cpufreq-states`, whichever version padded their numbers."""
    blocks = re.split(r"(?m)^(?=cpu id\s*:)", text)
    for block in blocks:
        if found := _CPU.match(block):
            yield _cpu(found[1], block.splitlines())


def _cpu(number: str, lines: list[str]) -> PhysicalCpu:
    cpu, state = PhysicalCpu(number), ""
    for line in lines:
        if found := _STATE.match(line):
            state = found[1]
            if found[2] is not None:
                cpu.entered[state] = int(found[2])
        elif found := _IDLE.match(line):
            cpu.idle_ms = int(found[1])
        elif found := _FREQUENCY.match(line):
            cpu.megahertz = int(found[1])
        elif state and (found := _TRANSITION.match(line)):
            cpu.entered[state] = int(found[1])
        elif state and (found := _RESIDENCY.match(line)):
            cpu.spent_ms[state] = int(found[1])
    return cpu
