"""What the checks of an action ask a pool, each in one session: a guest, a host or a repository as it is now."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from xenwatch.base.errors import HostError
from xenwatch.host.xapi.client import XapiClient
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import CLASSES, PoolRecords

Told = dict[str, Any]
_ON_HOST = 'field "resident_on" = "{ref}" and field "is_control_domain" = "false"'


async def _records(client: XapiClient, *classes: str) -> PoolRecords:
    """The hosts, and all objects of a few other classes, of which there are not many."""
    records = PoolRecords()
    for class_ in ("host", "host_metrics", *classes):
        wire = next(one for one in CLASSES if one.lower() == class_)
        for ref, record in (await client.call(f"{wire}.get_all_records")).items():
            records.put(class_, ref, record)
    client.learn_hosts(str(host["address"]) for host in records.of("host").values())
    return records


def _armed(records: PoolRecords) -> bool:
    return any(bool(pool["ha_enabled"]) for pool in records.of("pool").values())


def _is_live(records: PoolRecords, ref: str) -> bool:
    metrics = records.get("host_metrics", records.of("host")[ref]["metrics"])
    return metrics is not None and bool(metrics["live"])


def _hosts(records: PoolRecords, names: PoolNames) -> dict[str, Told]:
    """By uuid: what it is called, and whether guests may be put on it."""
    return {
        str(host["uuid"]): {
            "name": names.hosts[ref],
            "usable": bool(host["enabled"]) and _is_live(records, ref),
            "operations": sorted(map(str, host.get("current_operations", {}).values())),
        }
        for ref, host in records.of("host").items()
    }


def _uuid(records: PoolRecords, class_: str, ref: object) -> str:
    record = records.get(class_, ref)
    return "" if record is None else str(record["uuid"])


def _uuids(records: PoolRecords, class_: str, refs: Iterable[object]) -> list[str]:
    return sorted(filter(None, (_uuid(records, class_, ref) for ref in refs)))


async def guest(client: XapiClient, uuid: str) -> Told:
    """A guest by its uuid."""
    ref = await client.call("VM.get_by_uuid", uuid)
    vm = await client.call("VM.get_record", ref)
    records = await _records(client, "pool")
    return {
        "name": str(vm["name_label"]),
        "state": str(vm["power_state"]),
        "is_guest": not (vm["is_a_template"] or vm["is_a_snapshot"] or vm["is_control_domain"]),
        "on": _uuid(records, "host", vm["resident_on"]),
        "operations": sorted(map(str, vm["current_operations"].values())),
        "allowed": sorted(map(str, vm["allowed_operations"])),
        "blocked": sorted(map(str, vm.get("blocked_operations", {}))),
        "ha_armed": _armed(records),
        "ha_protected": bool(vm.get("ha_restart_priority")) or bool(vm.get("ha_always_run")),
        "possible": _uuids(records, "host", await client.call("VM.get_possible_hosts", ref)),
        "hosts": _hosts(records, PoolNames(records)),
    }


async def host(client: XapiClient, name: str) -> Told:
    """A host by the name that its incidents have."""
    records = await _records(client, "pool")
    names = PoolNames(records)
    ref = _ref(names.hosts, name)
    residents = await client.call("VM.get_all_records_where", _ON_HOST.format(ref=ref))
    stays = await client.call("host.get_vms_which_prevent_evacuation", ref)
    labels = {one: str(vm["name_label"]) for one, vm in residents.items()}
    return {
        "uuid": _uuid(records, "host", ref),
        "enabled": bool(records.of("host")[ref]["enabled"]),
        "guests": sorted(labels.values()),
        "preventing": {labels.get(one, one): [str(word) for word in error] for one, error in stays.items()},
        "ha_armed": _armed(records),
        "hosts": _hosts(records, names),
    }


async def repository(client: XapiClient, name: str) -> Told:
    """A storage repository by the name that its incidents have."""
    records = await _records(client, "pool", "sr", "pbd")
    names = PoolNames(records)
    ref = _ref(names.repositories, name)
    missing = await client.call("VDI.get_all_records_where", f'field "SR" = "{ref}" and field "missing" = "true"')
    return {
        "uuid": _uuid(records, "sr", ref),
        "pbds": {
            str(pbd["uuid"]): {
                "host": _uuid(records, "host", pbd["host"]),
                "attached": bool(pbd["currently_attached"]),
            }
            for pbd in records.of("pbd").values()
            if str(pbd["SR"]) == ref
        },
        "missing": sorted(str(vdi.get("name_label") or vdi["uuid"]) for vdi in missing.values()),
        "ha_armed": _armed(records),
        "hosts": _hosts(records, names),
    }


def _ref(names: Mapping[str, str], wanted: str) -> str:
    found = [ref for ref, name in names.items() if name == wanted]
    if len(found) != 1:
        raise HostError(f"the pool has {len(found)} things called {wanted!r} where one is meant")
    return found[0]


QUESTIONS: Mapping[str, Callable[[XapiClient, str], Awaitable[Told]]] = MappingProxyType(
    {"guest": guest, "host": host, "repository": repository}
)
"""By the word that asks it: `xapi:prod guest <uuid>`."""
