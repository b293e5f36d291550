"""What host this is and what stands on it just now, as facts under the names that bundles give them too."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator

from xenwatch.base.errors import HostError
from xenwatch.facts.local_files import Told, has_files, local_facts
from xenwatch.host.host import Host, is_control_domain
from xenwatch.host.inventory import Domain
from xenwatch.host.lvm import LvmReport, lvm_report, number
from xenwatch.host.parse.xl_info import mebibytes
from xenwatch.model.fact import Fact
from xenwatch.model.subject import HOST, Subject

_HOTPLUG = (("hotplug-error", "hotplug.error"), ("hotplug-status", "hotplug.status"))


async def detect(host: Host) -> list[Fact]:
    """All facts that can be learnt now. What does not answer in time is left out: a rule then says it is not known."""
    parts: tuple[Callable[[Host], Awaitable[Iterable[Told]]], ...] = (
        _toolstacks,
        _domains,
        _hypervisor,
        _volumes,
        _hotplug,
    )
    told = await asyncio.gather(*(_or_nothing(part(host)) for part in parts))
    if has_files(host.paths):
        told.append(await asyncio.to_thread(lambda: list(local_facts(host.paths))))
    now = host.clock.now()
    return [Fact(name, subject, value, now, origin) for facts in told for name, subject, value, origin in facts]


async def _or_nothing(part: Awaitable[Iterable[Told]]) -> list[Told]:
    try:
        return list(await part)
    except HostError:
        return []


async def _toolstacks(host: Host) -> Iterable[Told]:
    found = [] if host.toolstack is None else [host.toolstack.name]
    here = has_files(host.paths)
    found += ["xapi"] if here and shutil.which("xapi") else []
    found += ["libvirt"] if host.libvirt is not None else []
    words: list[Told] = [("host.toolstacks", HOST, tuple(found), "")]
    if here:
        words.append(("xen.dom0", HOST, is_control_domain(host.paths), "/proc/xen/capabilities"))
    return words


async def _domains(host: Host) -> Iterable[Told]:
    inventory = await host.domains.current()
    names = ("domain.names", HOST, tuple(sorted(inventory.names)), "domain list")
    return [names, *(told for domain in inventory.domains for told in _of_domain(domain))]


def _of_domain(domain: Domain) -> Iterator[Told]:
    subject, origin = Subject("domain", domain.name, domain.uuid, domain.domid), "domain list"
    yield "domain.state", subject, "off" if domain.state == "shutoff" else domain.state, origin
    if domain.memory_bytes is not None:
        yield "domain.memory_bytes", subject, domain.memory_bytes, origin
    if domain.vcpus is not None:
        yield "domain.vcpus", subject, domain.vcpus, origin


async def _hypervisor(host: Host) -> Iterable[Told]:
    if host.toolstack is None:
        return []
    info, origin = await host.toolstack.info(), f"{host.toolstack.name} info"
    version = (
        info.get("xen_version") or f"{info.get('xen_major', '')}.{info.get('xen_minor', '')}{info.get('xen_extra', '')}"
    )
    words: list[Told] = [
        ("xen.version", HOST, version, origin),
        ("xen.command_line", HOST, info.get("xen_commandline", ""), origin),
        ("xen.caps", HOST, tuple(info.get("xen_caps", "").split()), origin),
    ]
    if "virt_caps" in info:
        words.append(("xen.virt_caps", HOST, tuple(info["virt_caps"].split()), origin))
    if info.get("nr_cpus", "").isdigit():
        words.append(("host.cpus", HOST, int(info["nr_cpus"]), origin))
    for fact, key in (("memory.total_bytes", "total_memory"), ("memory.free_bytes", "free_memory")):
        if (size := mebibytes(info, key)) is not None:
            words.append((fact, HOST, size, origin))
    return words


async def _volumes(host: Host) -> Iterable[Told]:
    return _of_lvm(await lvm_report(host.runner, 20.0))


def _of_lvm(report: LvmReport) -> Iterator[Told]:
    origin = "lvm fullreport"
    yield "vg.names", HOST, tuple(vg["vg_name"] for vg in report.vgs), origin
    yield "pv.names", HOST, tuple(pv["pv_name"] for pv in report.pvs), origin
    yield "lv.names", HOST, tuple(f"{lv['vg_name']}/{lv['lv_name']}" for lv in report.lvs), origin
    for vg in report.vgs:
        for fact, field in (("vg.size_bytes", "vg_size"), ("vg.free_bytes", "vg_free")):
            if (size := number(vg, field)) is not None:
                yield fact, Subject("vg", vg["vg_name"]), int(size), origin
    for pv in report.pvs:
        yield "pv.missing", Subject("pv", pv["pv_name"]), bool(pv.get("pv_missing")), origin
    for lv in report.lvs:
        subject = Subject("lv", f"{lv['vg_name']}/{lv['lv_name']}")
        yield "lv.active", subject, lv.get("lv_active", "") == "active", origin
        yield "lv.open", subject, bool(lv.get("lv_device_open")), origin
        if (size := number(lv, "lv_size")) is not None:
            yield "lv.size_bytes", subject, int(size), origin
        if (percent := number(lv, "data_percent")) is not None:
            yield "lv.data_percent", subject, percent, origin


async def _hotplug(host: Host) -> Iterable[Told]:
    """What hotplug scripts left in the backend's folder, which only dom0 can write."""
    if host.xenstore is None:
        return []
    devices = await host.devices.current()
    paths = [f"{device.backend}/{key}" for device in devices for key, _ in _HOTPLUG]
    values = iter(await host.xenstore.read_many(paths))
    return [
        (fact, Subject(device.kind, f"{device.domid}/{device.devid}"), value, "xenstore")
        for device in devices
        for _, fact in _HOTPLUG
        if (value := next(values))
    ]
