"""Metrics of a pool: those that a host has too, with the pool as a label, and new ones."""

from dataclasses import replace

from xenwatch.model.sample import Metric, MetricType
from xenwatch.sampling.collectors import dom0, domain, hypervisor, memory, vbd, vcpu, vif, xenstore


def of_pool(metric: Metric) -> Metric:
    """A guest's: it may move between the hosts of the pool, which must not begin another series."""
    return replace(metric, labels=(*metric.labels, "pool"))


def of_host(metric: Metric) -> Metric:
    """A host's own."""
    return replace(metric, labels=(*metric.labels, "host", "pool"))


DOMAIN_INFO = replace(domain.INFO, labels=(*domain.INFO.labels, "host", "pool"))
DOMAIN_STATE, CPU_SECONDS = of_pool(domain.STATE), of_pool(domain.CPU_SECONDS)
VCPUS, VCPU_SECONDS = of_pool(vcpu.VCPUS), of_pool(vcpu.SECONDS)
START_TIME = of_pool(xenstore.START_TIME)
MEMORY, MEMORY_TARGET = of_pool(memory.CURRENT), of_pool(memory.TARGET)
MEMORY_MAXIMUM, MEMORY_STATIC_MAX = of_pool(memory.MAXIMUM), of_pool(memory.STATIC_MAX)
GUEST_MEMORY = of_pool(memory.GUEST)
VBD_CAPACITY, VIF_INFO = of_pool(vbd.CAPACITY), of_pool(vif.INFO)
VBD_COUNTERS = {
    "read": of_pool(vbd.READ_BYTES), "write": of_pool(vbd.WRITTEN_BYTES), "iops_read": of_pool(vbd.READS),
    "iops_write": of_pool(vbd.WRITES),
}  # fmt: skip
_VIF_METRICS = {metric.name: metric for metric in vif.COLLECTOR.metrics}
VIF_COUNTERS = {
    f"{way}{what}": of_pool(_VIF_METRICS[f"xen_domain_vif_{guest_way}_{counted}_total"])
    for way, guest_way in (("rx", "receive"), ("tx", "transmit"))
    for what, counted in (("", "bytes"), ("_errors", "errors"))
}
HYPERVISOR_CPUS, HYPERVISOR_INFO = of_host(hypervisor.CPUS), of_host(hypervisor.INFO)
MEMORY_TOTAL, MEMORY_FREE = of_host(hypervisor.TOTAL), of_host(hypervisor.FREE)
HOST_DOMAINS, BOOT_TIME = of_host(domain.DOMAINS), of_host(dom0.BOOT)

_POOL, _HOST, _SR = ("pool",), ("host", "pool"), ("sr", "pool")
_GUEST, _DISK = ("domain", "pool"), ("domain", "device", "pool")


def _new(name: str, words: str, labels: tuple[str, ...], type_: MetricType = "gauge") -> Metric:
    return Metric(name, type_, words, labels)


POOL_INFO = _new("xen_pool_info", "A pool and its master", (*_POOL, "uuid", "master"), "info")
POOL_UP = _new("xen_pool_up", "Whether the pool's master answered in the last cycle", _POOL)
POOL_AGE = _new("xen_pool_last_success_timestamp_seconds", "When a pool's objects were last read", _POOL)
EVENTS_LOST = _new(
    "xen_pool_events_lost_total", "How often events were lost, and all objects read again", _POOL, "counter"
)
LOGINS = _new(
    "xen_pool_logins_total",
    "Sessions that were opened; more than one: it ended, or the master changed",
    _POOL,
    "counter",
)
HA_ENABLED = _new("xen_pool_ha_enabled", "Whether high availability is armed", _POOL)
HA_TOLERATED = _new("xen_pool_ha_host_failures_to_tolerate", "Failed hosts that the pool is to survive", _POOL)
HA_PLANNED = _new("xen_pool_ha_plan_exists_for", "Failed hosts for which there is a plan", _POOL)
HA_OVERCOMMITTED = _new("xen_pool_ha_overcommitted", "Whether the pool cannot survive what it is to survive", _POOL)
TASKS = _new(
    "xen_pool_tasks", "Tasks that xapi knows, by status; finished ones are kept for a while", ("status", "pool")
)
SESSIONS = _new("xen_pool_sessions", "Sessions that are open at the master", _POOL)

HOST_INFO = _new("xen_host_info", "A host of a pool", (*_HOST, "uuid", "address", "version", "xen"), "info")
HOST_ENABLED = _new("xen_host_enabled", "Whether guests may start on a host; 0 in maintenance", _HOST)
HOST_LIVE = _new("xen_host_live", "Whether the master hears of a host", _HOST)
HOST_EVACUATING = _new("xen_host_evacuating", "Whether guests are being moved away from a host", _HOST)
HOST_GUIDANCES = _new("xen_host_guidances_pending", "What updates still ask for, such as a reboot of the host", _HOST)
HOST_MULTIPATHING = _new("xen_host_multipathing", "Whether a host uses several paths to its storage", _HOST)
FIGURES_UP = _new("xen_host_figures_up", "Whether a host's xcp-rrdd gave its numbers in the last cycle", _HOST)
HOST_CPU_USAGE = _new("xen_host_cpu_usage_ratio", "How busy the physical cpus of a host are, all together", _HOST)
HOST_CPU = _new("xen_host_cpu_busy_seconds_total", "Time that a physical cpu was busy", ("cpu", *_HOST), "counter")
HOST_LOAD = _new("xen_host_load_ratio", "Vcpus that run or want to, for each physical cpu", _HOST)
DOM0_LOAD = _new("xen_host_dom0_load", "Load average of the control domain, one minute", _HOST)
RUNNING_VCPUS = _new("xen_host_running_vcpus", "Vcpus that run or want to", _HOST)
RECLAIMED = _new("xen_host_memory_reclaimed_bytes", "Memory taken from guests by ballooning", _HOST)
RECLAIMABLE = _new("xen_host_memory_reclaimable_bytes", "Memory that ballooning can take from guests at most", _HOST)
POWER = _new("xen_host_power_watts", "What a host draws, as its DCMI tells", _HOST)
CPU_FREQUENCY = _new("xen_host_cpu_frequency_hertz", "At what frequency a physical cpu ran on average", ("cpu", *_HOST))
XAPI_MEMORY = _new("xen_host_xapi_memory_bytes", "Memory of a host's xapi, by what it is used for", ("kind", *_HOST))
XAPI_FDS = _new("xen_host_xapi_open_fds", "File descriptors that a host's xapi has open", _HOST)
LOW_TAPDISKS = _new("xen_host_tapdisks_low_on_memory", "Disk back ends that run out of memory", _HOST)
PIF_COUNTERS = {
    f"{way}{what}": _new(
        f"xen_host_interface_{long}_{counted}_total", f"{counted.capitalize()} of a physical interface, {words}",
        ("interface", *_HOST), "counter",
    )
    for way, long, words in (("rx", "receive", "inwards"), ("tx", "transmit", "outwards"))
    for what, counted in (("", "bytes"), ("_errors", "errors"))
}  # fmt: skip

SR_INFO = _new("xen_sr_info", "A storage repository", (*_SR, "uuid", "type", "shared"), "info")
SR_SIZE = _new("xen_sr_size_bytes", "Size of a storage repository", _SR)
SR_USED = _new("xen_sr_used_bytes", "Space of a storage repository in use", _SR)
SR_VIRTUAL = _new("xen_sr_virtual_allocation_bytes", "Space that the disks in it may take at most", _SR)
SR_ATTACHED = _new("xen_sr_attached", "Whether a host has a storage repository attached", ("sr", *_HOST))
SR_VDIS = _new(
    "xen_sr_vdis", "Disks in a storage repository: in use by guests, of snapshots, of no guest", ("sr", "kind", "pool")
)
SR_COALESCE = _new("xen_sr_vdis_to_coalesce", "Disks that a snapshot left behind and that wait to be merged", _SR)
SR_CHAIN = _new("xen_sr_longest_chain", "Disks that hang one on the other at most; 30 is the end", _SR)
SR_LATENCY = _new(
    "xen_sr_latency_seconds", "How long a request to a repository takes on a host", ("sr", "direction", *_HOST)
)
SR_REQUESTS = _new("xen_sr_requests_total", "Requests to a repository", ("sr", "direction", *_HOST), "counter")
SR_BYTES = _new("xen_sr_bytes_total", "Bytes to and from a repository", ("sr", "direction", *_HOST), "counter")
SR_IOWAIT = _new(
    "xen_sr_io_seconds_total", "Time that requests to a repository took, all added up", ("sr", *_HOST), "counter"
)
SR_INFLIGHT = _new("xen_sr_inflight_requests", "Requests to a repository that are under way", ("sr", *_HOST))
SR_QUEUE = _new("xen_sr_queue_requests", "Requests that wait for a repository, on average", ("sr", *_HOST))

TOOLS = _new("xen_domain_guest_tools", "Whether the guest tools run in a guest", _GUEST)
SNAPSHOTS = _new("xen_domain_snapshots", "Snapshots of a guest", _GUEST)
OLDEST_SNAPSHOT = _new(
    "xen_domain_oldest_snapshot_timestamp_seconds", "When a guest's oldest snapshot was taken", _GUEST
)
TAG_INFO = _new(
    "xen_domain_tag_info", "A tag of a guest that [xapi.NAME] tags names", ("domain", "tag", "pool"), "info"
)
RUNSTATE = _new(
    "xen_domain_runstate_ratio",
    "Share of time that a guest's vcpus spend in each state",
    ("domain", "runstate", "pool"),
)
RUNNABLE = _new(
    "xen_domain_runnable_ratio", "Share of time that at least one vcpu of a guest waits for a physical cpu", _GUEST
)
CPU_USAGE = _new("xen_domain_cpu_usage_ratio", "How busy a guest's vcpus are, all together", _GUEST)
VBD_VDI = _new(
    "xen_domain_vbd_vdi_info",
    "The disk of a repository behind a guest's device",
    ("domain", "device", "vdi", "sr", "pool"),
    "info",
)
VBD_USED = _new(
    "xen_domain_vbd_used_bytes", "Space of the repository that the disk behind a guest's device takes", _DISK
)
VBD_LATENCY = _new(
    "xen_domain_vbd_latency_seconds",
    "How long a request of a guest's disk takes",
    ("domain", "device", "direction", "pool"),
)
VBD_IOWAIT = _new(
    "xen_domain_vbd_io_seconds_total", "Time that requests of a guest's disk took, all added up", _DISK, "counter"
)
VBD_INFLIGHT = _new("xen_domain_vbd_inflight_requests", "Requests of a guest's disk that are under way", _DISK)
VBD_QUEUE = _new("xen_domain_vbd_queue_requests", "Requests of a guest's disk that wait, on average", _DISK)


def pool_metrics() -> dict[str, Metric]:
    """All that is ever told of a pool, by name."""
    own = [one for one in globals().values() if isinstance(one, Metric)]
    own += [*VBD_COUNTERS.values(), *VIF_COUNTERS.values(), *PIF_COUNTERS.values()]
    return {metric.name: metric for metric in own}
