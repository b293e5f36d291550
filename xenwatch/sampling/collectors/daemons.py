"""Xen's daemons and guests' device models: which run, and what they use."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from xenwatch.base.errors import HostError
from xenwatch.host.devicemodels import device_model_pids
from xenwatch.host.host import Host
from xenwatch.host.inventory import DomainInventory
from xenwatch.host.kernel.processes import Process, boot_time, open_files, open_files_limit, read_processes
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

UP = Metric(
    "xen_daemon_up", "gauge", "Whether a daemon that this host needs, or that ran before, is running", ("daemon",)
)
MEMORY = Metric("xen_daemon_resident_memory_bytes", "gauge", "Memory of a daemon", ("daemon",))
CPU = Metric("xen_daemon_cpu_seconds_total", "counter", "Cpu time of a daemon", ("daemon",))
FILES = Metric("xen_daemon_open_fds", "gauge", "Descriptors a daemon has open", ("daemon",))
MAX_FILES = Metric("xen_daemon_max_fds", "gauge", "Descriptors a daemon may have open", ("daemon",))
STARTED = Metric("xen_daemon_start_time_seconds", "gauge", "When a daemon was started", ("daemon",))
MODEL_UP = Metric(
    "xen_domain_device_model_up", "gauge", "Whether the device model a domain was given is there", ("domain",)
)
MODEL_CPU = Metric("xen_domain_device_model_cpu_seconds_total", "counter", "Cpu time of a device model", ("domain",))
MODEL_MEMORY = Metric("xen_domain_device_model_resident_memory_bytes", "gauge", "Memory of a device model", ("domain",))
MODEL_FILES = Metric("xen_domain_device_model_open_fds", "gauge", "Descriptors a device model has open", ("domain",))
MODEL_THREADS = Metric("xen_domain_device_model_threads", "gauge", "Threads of a device model", ("domain",))

_PROGRAMS = {
    "xenstored": "xenstored", "oxenstored": "xenstored", "xenconsoled": "xenconsoled", "xend": "xend",
    "libvirtd": "libvirtd", "virtxend": "libvirtd", "virtlogd": "virtlogd", "xenwatchdogd": "xenwatchdogd",
    "blktapctrl": "blktapctrl", "xenbackendd": "xenbackendd", "xapi": "xapi", "xcp-networkd": "xcp-networkd",
    "xenopsd-xc": "xenopsd",
}  # fmt: skip
"""Programs by the daemon they are: two implementations of xenstored, libvirt as one daemon or split."""
_NEEDED = ("xenstored", "xenconsoled")
"""Without these no toolstack works, so their absence is told even by an agent that never saw them."""
_MODEL = re.compile(r"qemu")
_DOMID_FLAGS = ("-xen-domid", "-d")


class _Reader:
    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._models: set[tuple[str, int]] = set()
        self._told: dict[int, int] = {}
        """The toolstack's word: process id of each guest's device model, by domid."""

    async def __call__(self, host: Host) -> Sequence[Sample]:
        inventory = await host.domains.known(max_age=15.0)
        if host.xenstore is not None:
            with suppress(HostError):  # with a silent xenstored, the daemons are told of all the more
                self._told = await device_model_pids(host.xenstore, inventory, self._told)
        control = host.xenstore is not None
        return await host.aside.run(self._read, host.paths, inventory, control)

    def _read(self, paths: Paths, inventory: DomainInventory, control: bool) -> list[Sample]:
        processes = list(read_processes(paths.proc))
        samples = list(self._daemons(paths.proc, processes, _NEEDED if control else ()))
        samples += self._device_models(paths.proc, processes, inventory)
        return samples

    def _daemons(self, proc: Path, processes: Iterable[Process], needed: Iterable[str]) -> Iterator[Sample]:
        running = {_PROGRAMS[one.program]: one for one in processes if one.program in _PROGRAMS}
        self._seen |= running.keys()
        booted = boot_time(proc)
        for name in sorted(self._seen | set(needed)):
            yield Sample(UP, (name,), float(name in running))
            if name in running:
                yield from _use(proc, running[name], name, booted)

    def _device_models(self, proc: Path, processes: Iterable[Process], inventory: DomainInventory) -> Iterator[Sample]:
        running = {domid: one for one in processes if (domid := domid_of(one)) is not None and domid > 0}
        pids = {one.pid: one for one in processes}
        running = {domid: pids[pid] for domid, pid in self._told.items() if pid in pids} | running
        alive = {(domain.name, domid) for domid, domain in inventory.by_domid.items()}
        self._models = {key for key in self._models if key in alive}
        domids = [domid for domid in (*running, *self._told) if domid in inventory.by_domid]
        self._models |= {(inventory.by_domid[domid].name, domid) for domid in domids}
        for name, domid in sorted(self._models):
            yield Sample(MODEL_UP, (name,), float(domid in running))
            if domid in running:
                yield from _model_use(proc, running[domid], name)


def _use(proc: Path, process: Process, name: str, booted: float | None) -> Iterator[Sample]:
    yield Sample(MEMORY, (name,), float(process.resident_bytes))
    yield Sample(CPU, (name,), process.cpu_seconds)
    if booted is not None:
        yield Sample(STARTED, (name,), booted + process.started)
    for metric, count in ((FILES, open_files(proc, process.pid)), (MAX_FILES, open_files_limit(proc, process.pid))):
        if count is not None:
            yield Sample(metric, (name,), float(count))


def _model_use(proc: Path, process: Process, domain: str) -> Iterator[Sample]:
    yield Sample(MODEL_CPU, (domain,), process.cpu_seconds)
    yield Sample(MODEL_MEMORY, (domain,), float(process.resident_bytes))
    yield Sample(MODEL_THREADS, (domain,), float(process.threads))
    if (count := open_files(proc, process.pid)) is not None:
        yield Sample(MODEL_FILES, (domain,), float(count))


def domid_of(process: Process) -> int | None:
    """The domain that a device model serves: upstream qemu says `-xen-domid 3`, the traditional one `-d 3`."""
    if _MODEL.search(process.program) is None:
        return None
    for flag, value in zip(process.command, process.command[1:], strict=False):
        if flag in _DOMID_FLAGS and value.isdigit():
            return int(value)
    return None


COLLECTOR = Collector(
    name="daemons",
    metrics=(
        UP,
        MEMORY,
        CPU,
        FILES,
        MAX_FILES,
        STARTED,
        MODEL_UP,
        MODEL_CPU,
        MODEL_MEMORY,
        MODEL_FILES,
        MODEL_THREADS,
    ),
    begin=_Reader,
    interval=15.0,
    deadline=10.0,
)
