"""Pools to ask: hosts, guests with disks and interfaces, repositories, and what may be wrong with them."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from xenwatch.demo.pool import rrds
from xenwatch.demo.pool.operations import ALLOWED
from xenwatch.demo.pool.server import StandInPool

GIB = 1024**3
STARTED = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
VERSION = {
    "product_version": "8.3.0",
    "product_brand": "XCP-ng",
    "xen": "4.17.5-3",
    "xapi": "24.39",
}


def fill(pool: StandInPool, hosts: int = 2, guests: int = 3, *, name: str = "prod", seed: int = 0) -> None:
    """Guests go round the hosts; each has two vcpus, two disks and two interfaces."""
    db = pool.database
    db.seed = seed
    network = db.add("network", name_label="lan", bridge="xenbr0")
    made = [_add_host(pool, n, network) for n in range(hosts)]
    sr = db.add(
        "SR", name_label="shared", type="nfs", shared=True, physical_size=1000 * GIB, physical_utilisation=400 * GIB,
        virtual_allocation=600 * GIB,
    )  # fmt: skip
    for ref in made:
        db.add("PBD", host=ref, SR=sr, device_config={"server": "10.0.0.9", "serverpath": "/vol/xen"})
    pool.ref = db.add("pool", name_label=name, master=made[0], default_SR=sr)
    sr_uuid = db.record("SR", sr)["uuid"]
    for n, ref in enumerate(made):
        uuid = db.record("host", ref)["uuid"]
        pool.figures[ref] = {f"host:{uuid}": rrds.host_sources(4, ["eth0"], [sr_uuid], master=not n)}
        _add_dom0(pool, n, ref)
    for n in range(guests):
        add_guest(pool, f"web{n}", made[n % hosts], sr, network, domid=n + 1)


def _add_host(pool: StandInPool, n: int, network: str) -> str:
    db, address = pool.database, f"127.0.0.{n + 1}"
    metrics = db.add("host_metrics", memory_total=64 * GIB, memory_free=32 * GIB, live=True)
    ref = db.add(
        "host", name_label=f"xcp{n + 1}", hostname=f"xcp{n + 1}", address=address, metrics=metrics, enabled=True,
        software_version=VERSION, cpu_info={"cpu_count": "4", "speed": "2400.1"},
        other_config={"boot_time": "1793534400.", "agent_start_time": "1793534460."},
    )  # fmt: skip
    db.add("PIF", device="eth0", host=ref, network=network, management=True, IP=address)
    pool.add_host(ref, address)
    return ref


def _add_dom0(pool: StandInPool, n: int, host: str) -> None:
    db = pool.database
    metrics = db.add("VM_metrics", VCPUs_number=4, start_time=STARTED)
    vm = db.add(
        "VM", name_label=f"Control domain on host: xcp{n + 1}", is_control_domain=True, power_state="Running", domid=0,
        resident_on=host, metrics=metrics, VCPUs_max=4, memory_static_max=4 * GIB, memory_target=4 * GIB,
    )  # fmt: skip
    db.change("host", host, control_domain=vm)
    uuid = db.record("VM", vm)["uuid"]
    pool.figures[host][f"vm:{uuid}"] = rrds.guest_sources(4, [], [], 4 * GIB)


def add_guest(pool: StandInPool, name: str, host: str, sr: str, network: str, domid: int, **fields: Any) -> str:
    """A running guest; its reference."""
    db = pool.database
    metrics = db.add("VM_metrics", VCPUs_number=2, start_time=STARTED, hvm=True, current_domain_type="hvm")
    tools = db.add("VM_guest_metrics", PV_drivers_detected=True, PV_drivers_up_to_date=True)
    vm = db.add(
        "VM", name_label=name, power_state="Running", resident_on=host, domid=domid, metrics=metrics,
        guest_metrics=tools, VCPUs_max=2, memory_static_max=4 * GIB, memory_dynamic_max=2 * GIB,
        memory_target=2 * GIB, allowed_operations=ALLOWED["Running"], **fields,
    )  # fmt: skip
    for n, device in enumerate(("xvda", "xvdb")):
        vdi = db.add("VDI", name_label=f"{name} {device}", SR=sr, virtual_size=20 * GIB, physical_utilisation=5 * GIB)
        vbd = db.add("VBD", VM=vm, VDI=vdi, device=device, userdevice=str(n), currently_attached=True, bootable=not n)
        db.change("VDI", vdi, VBDs=(vbd,))
    for n in range(2):
        mac = f"02:16:3e:{domid // 256 % 256:02x}:{domid % 256:02x}:{n:02x}"
        db.add("VIF", VM=vm, device=str(n), MAC=mac, network=network, currently_attached=True)
    uuid = db.record("VM", vm)["uuid"]
    pool.figures[host][f"vm:{uuid}"] = rrds.guest_sources(2, ["xvda", "xvdb"], ["0", "1"], 2 * GIB)
    return vm


def add_repository(pool: StandInPool, name: str, type_: str) -> str:
    """One that every host has attached; its reference."""
    db = pool.database
    sr = db.add("SR", name_label=name, type=type_, shared=True, physical_size=500 * GIB, physical_utilisation=90 * GIB)
    for host in pool.hosts:
        db.add("PBD", host=host.ref, SR=sr)
    return sr


def halt(pool: StandInPool, vm: str) -> None:
    """A guest shuts down."""
    record = pool.database.record("VM", vm)
    pool.figures[record["resident_on"]].pop(f"vm:{record['uuid']}")
    pool.operations.set_state(vm, "Halted")


def guest(pool: StandInPool, name: str) -> str:
    """The reference of a guest of that name."""
    return next(ref for ref, vm in pool.database.records("VM").items() if vm["name_label"] == name)


@asynccontextmanager
async def running(pool: StandInPool) -> AsyncIterator[StandInPool]:
    """The pool while it serves."""
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()
