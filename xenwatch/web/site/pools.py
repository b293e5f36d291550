"""The pools that are watched: their hosts, repositories, high availability, tasks and guests, as of the last cycle."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from xenwatch.model.sample import Snapshot
from xenwatch.web.context import CONTEXT
from xenwatch.web.site.page import page
from xenwatch.web.site.readings import Readings
from xenwatch.web.site.storage import Filled

_DOM0 = "0"
"""The domid of a control domain, which is no guest."""


@dataclass(frozen=True, slots=True)
class PoolHost:
    """A host of a pool. Ratios are shares of 1; None: its numbers did not come."""

    name: str
    is_master: bool
    state: str
    level: str
    """ok, warning or error."""
    version: str
    cpu: float | None
    memory: Filled | None
    guests: int


@dataclass(frozen=True, slots=True)
class Repository:
    """A storage repository, where it is missing, and how long its requests take."""

    space: Filled
    kind: str
    missing_on: tuple[str, ...]
    read_seconds: float | None
    write_seconds: float | None
    chain: float | None


@dataclass(frozen=True, slots=True)
class PoolGuest:
    """A guest and the host that it is on."""

    name: str
    state: str
    host: str
    cpu: float | None
    memory: float | None
    tools: float | None
    snapshots: float | None


async def all_pools(request: web.Request) -> web.Response:
    """One line for each pool."""
    pools = {name: _readings(request, name) for name in sorted(request.app[CONTEXT].pools())}
    rows = [
        (name, own.value("xen_pool_up") == 1, list(_hosts(own)), _troubles(request, name))
        for name, own in pools.items()
    ]
    return page(request, "pools.html", pools=rows)


async def one_pool(request: web.Request) -> web.Response:
    """404 where no such pool is watched."""
    name = request.match_info["name"]
    if name not in request.app[CONTEXT].pools():
        return page(request, "gone.html", 404, what=f"pool {name[:80]} that is watched")
    own = _readings(request, name)
    return page(
        request,
        "pool.html",
        pool=name,
        up=own.value("xen_pool_up") == 1,
        read_at=own.value("xen_pool_last_success_timestamp_seconds"),
        hosts=list(_hosts(own)),
        repositories=list(_repositories(own)),
        ha=_ha(own),
        tasks={row["status"]: int(value) for row, value in own.rows("xen_pool_tasks") if value},
        sessions=own.value("xen_pool_sessions"),
        guests=list(_guests(own)),
        incidents=_troubles(request, name),
    )


def _readings(request: web.Request, name: str) -> Readings:
    context = request.app[CONTEXT]
    return Readings(Snapshot(context.now(), tuple(context.pools()[name])))


def _troubles(request: web.Request, pool: str) -> list[object]:
    """Open incidents of the pool, the most likely cause first."""
    incidents = request.app[CONTEXT].incidents()
    return [one for one in incidents if one.diagnosis.subject.host == pool and one.state != "resolved"]


def _hosts(own: Readings) -> Iterator[PoolHost]:
    master = next((row["master"] for row, _ in own.rows("xen_pool_info")), "")
    guests = Counter(row["host"] for row, _ in own.rows("xen_domain_info") if row["domid"] != _DOM0)
    for row, _ in own.rows("xen_host_info"):
        name = row["host"]
        state, level = _state(own, name)
        yield PoolHost(
            name, name == master, state, level, row["version"], own.value("xen_host_cpu_usage_ratio", host=name),
            _memory(own, name), guests[name],
        )  # fmt: skip


def _state(own: Readings, host: str) -> tuple[str, str]:
    if own.value("xen_host_live", host=host) == 0:
        return "not heard of", "error"
    if own.value("xen_host_evacuating", host=host):
        return "being emptied", "warning"
    return ("in maintenance", "warning") if own.value("xen_host_enabled", host=host) == 0 else ("up", "ok")


def _memory(own: Readings, host: str) -> Filled | None:
    total = own.value("xen_hypervisor_memory_total_bytes", host=host)
    return Filled(host, total, own.value("xen_hypervisor_memory_free_bytes", host=host)) if total else None


def _repositories(own: Readings) -> Iterator[Repository]:
    for row, _ in own.rows("xen_sr_info"):
        name = row["sr"]
        size, used = own.value("xen_sr_size_bytes", sr=name), own.value("xen_sr_used_bytes", sr=name)
        free = size - used if size is not None and used is not None else None
        missing = sorted(one["host"] for one, value in own.rows("xen_sr_attached") if one["sr"] == name and not value)
        yield Repository(
            Filled(name, size or 0.0, free), row["type"], tuple(missing), _slowest(own, name, "read"),
            _slowest(own, name, "write"), own.value("xen_sr_longest_chain", sr=name),
        )  # fmt: skip


def _slowest(own: Readings, sr: str, direction: str) -> float | None:
    """The host on which requests take longest."""
    wanted = {"sr": sr, "direction": direction}
    found = [value for row, value in own.rows("xen_sr_latency_seconds") if wanted.items() <= row.items()]
    return max(found, default=None)


def _ha(own: Readings) -> Mapping[str, float | None]:
    return {
        "armed": own.value("xen_pool_ha_enabled"),
        "tolerates": own.value("xen_pool_ha_host_failures_to_tolerate"),
        "planned": own.value("xen_pool_ha_plan_exists_for"),
        "overcommitted": own.value("xen_pool_ha_overcommitted"),
    }


def _guests(own: Readings) -> Iterator[PoolGuest]:
    for name, one in sorted(own.of_each("domain").items()):
        info = next((row for row, _ in one.rows("xen_domain_info")), {})
        if info.get("domid") == _DOM0:
            continue
        yield PoolGuest(
            name,
            one.state("xen_domain_state", "state") or "unknown",
            info.get("host", ""),
            one.value("xen_domain_cpu_usage_ratio"),
            one.value("xen_domain_memory_current_bytes"),
            one.value("xen_domain_guest_tools"),
            one.value("xen_domain_snapshots"),
        )


ROUTES = (web.get("/pools", all_pools), web.get("/pools/{name}", one_pool))
