"""Hosts and the pool as a whole: enabled, alive, versions, high availability, tasks."""

from collections import Counter
from collections.abc import Iterator

from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import PoolRecords, Record, moment, whole_number
from xenwatch.model.sample import Sample
from xenwatch.sampling.xapi import families as f
from xenwatch.sampling.xapi.guests import POWER_STATES

_TASKS = ("pending", "success", "failure", "cancelling", "cancelled")


def host_samples(records: PoolRecords, names: PoolNames, pool: str) -> Iterator[Sample]:
    """Of each host of the pool."""
    running = _running(records)
    for ref, name in names.hosts.items():
        host = records.of("host")[ref]
        where = (name, pool)
        metrics = records.get("host_metrics", host["metrics"])
        yield from _described(host, where)
        yield Sample(f.HOST_ENABLED, where, float(bool(host["enabled"])))
        yield Sample(f.HOST_EVACUATING, where, float(is_evacuating(host)))
        yield Sample(f.HOST_GUIDANCES, where, float(len(host.get("pending_guidances", ()))))
        yield Sample(f.HOST_MULTIPATHING, where, float(is_multipathing(host)))
        if metrics is not None:
            yield Sample(f.HOST_LIVE, where, float(bool(metrics["live"])))
        for state in ("running", "paused"):
            yield Sample(f.HOST_DOMAINS, (state, *where), float(running[ref, state]))


def _running(records: PoolRecords) -> Counter[tuple[str, str]]:
    return Counter(
        (str(vm["resident_on"]), POWER_STATES.get(str(vm["power_state"]), ""))
        for vm in records.of("vm").values()
        if not (vm.get("is_a_snapshot") or vm.get("is_a_template"))
    )


def _described(host: Record, where: tuple[str, str]) -> Iterator[Sample]:
    version, cpus = host.get("software_version", {}), host.get("cpu_info", {})
    xen = str(version.get("xen", version.get("platform_version", "")))
    product = f"{version.get('product_brand', '')} {version.get('product_version', '')}".strip()
    yield Sample(f.HOST_INFO, (*where, str(host["uuid"]), str(host["address"]), product, xen), 1.0)
    yield Sample(f.HYPERVISOR_INFO, (xen, "", "", "xapi", "", "", *where), 1.0)
    if (count := whole_number(cpus.get("cpu_count"))) is not None:
        yield Sample(f.HYPERVISOR_CPUS, ("all", *where), float(count))
    if (booted := _seconds(host.get("other_config", {}).get("boot_time"))) is not None:
        yield Sample(f.BOOT_TIME, where, booted)


def _seconds(text: object) -> float | None:
    """`1793534400.`, as xapi writes floats into maps of text."""
    try:
        return float(str(text))
    except ValueError:
        return None


def is_evacuating(host: Record) -> bool:
    """Whether its guests are on their way to others."""
    return "evacuate" in host.get("current_operations", {}).values()


def is_multipathing(host: Record) -> bool:
    """As the field says since 7.6, or the setting before."""
    return bool(host.get("multipathing")) or host.get("other_config", {}).get("multipathing") == "true"


def pool_samples(records: PoolRecords, names: PoolNames, pool: str) -> Iterator[Sample]:
    """Of the pool's own object, and of its tasks."""
    for record in records.of("pool").values():
        master = names.hosts.get(str(record["master"]), "")
        yield Sample(f.POOL_INFO, (pool, str(record["uuid"]), master), 1.0)
        yield Sample(f.HA_ENABLED, (pool,), float(bool(record["ha_enabled"])))
        yield Sample(f.HA_OVERCOMMITTED, (pool,), float(bool(record.get("ha_overcommitted"))))
        wanted = ((f.HA_TOLERATED, "ha_host_failures_to_tolerate"), (f.HA_PLANNED, "ha_plan_exists_for"))
        for metric, key in wanted:
            if (count := whole_number(record.get(key))) is not None:
                yield Sample(metric, (pool,), float(count))
    statuses = Counter(str(task["status"]) for task in records.of("task").values())
    for status in _TASKS:
        yield Sample(f.TASKS, (status, pool), float(statuses[status]))


def last_change(task: Record) -> float | None:
    """When a task ended, or began."""
    return moment(task.get("finished")) or moment(task.get("created"))
