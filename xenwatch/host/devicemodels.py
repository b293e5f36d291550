"""Which process is the device model of each guest, as the toolstack wrote it into xenstore when it started one."""

from collections.abc import Mapping

from xenwatch.host.inventory import DomainInventory
from xenwatch.host.kernel.processes import read_processes
from xenwatch.host.paths import Paths
from xenwatch.host.xenstore.client import Xenstore

PID_KEY = "image/device-model-pid"
"""Below /local/domain/<domid>: tools/libs/light/libxl_dm.c. A guest may read it and not write it."""


async def device_model_pids(xenstore: Xenstore, inventory: DomainInventory, known: Mapping[int, int]) -> dict[int, int]:
    """By domid; those of `known` that are still there are not asked for again. HostError where xenstored is silent."""
    kept = {domid: pid for domid, pid in known.items() if domid in inventory.by_domid}
    wanted = [domid for domid in inventory.by_domid if domid > 0 and domid not in kept]
    told = await xenstore.read_many([f"/local/domain/{domid}/{PID_KEY}" for domid in wanted])
    for domid, pid in zip(wanted, told, strict=True):
        if pid is not None and pid.isdigit():
            kept[domid] = int(pid)
    return kept


def running_pids(paths: Paths) -> frozenset[int]:
    """Of all programs that run; a dead one whose parent has not looked yet does not."""
    return frozenset(process.pid for process in read_processes(paths.proc))
