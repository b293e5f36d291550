"""xapi's objects as xenwatch keeps them: by class and reference, with the fields that something here asks for."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Record = Mapping[str, Any]
NULL = "OpaqueRef:NULL"

FIELDS: dict[str, tuple[str, ...]] = {
    "pool": (
        "uuid", "name_label", "master", "ha_enabled", "ha_plan_exists_for", "ha_host_failures_to_tolerate",
        "ha_overcommitted", "ha_statefiles", "default_SR",
    ),
    "host": (
        "uuid", "name_label", "hostname", "address", "enabled", "metrics", "software_version", "current_operations",
        "other_config", "cpu_info", "control_domain", "ha_network_peers", "updates", "pending_guidances",
        "multipathing",
    ),
    "host_metrics": ("live", "memory_total", "memory_free", "last_updated"),
    "vm": (
        "uuid", "name_label", "power_state", "resident_on", "domid", "is_control_domain", "is_a_template",
        "is_a_snapshot", "snapshot_of", "snapshot_time", "memory_static_max", "memory_dynamic_max",
        "memory_target", "VCPUs_max", "tags",
        "metrics", "guest_metrics", "VIFs", "VBDs", "current_operations", "ha_restart_priority", "ha_always_run",
        "is_default_template", "PV_drivers_version",
    ),
    "vm_metrics": ("VCPUs_number", "start_time", "memory_actual", "hvm", "current_domain_type"),
    "vm_guest_metrics": ("PV_drivers_detected", "PV_drivers_up_to_date", "os_version", "live"),
    "vbd": ("uuid", "VM", "VDI", "device", "userdevice", "mode", "type", "currently_attached", "bootable"),
    "vif": ("uuid", "VM", "device", "MAC", "network", "currently_attached", "qos_algorithm_params"),
    "vdi": (
        "uuid", "name_label", "SR", "VBDs", "type", "virtual_size", "physical_utilisation", "is_a_snapshot",
        "snapshot_of", "snapshot_time", "managed", "missing", "sm_config",
    ),
    "sr": (
        "uuid", "name_label", "type", "content_type", "shared", "physical_size", "physical_utilisation",
        "virtual_allocation", "PBDs", "is_tools_sr",
    ),
    "pbd": ("uuid", "host", "SR", "currently_attached", "device_config", "other_config"),
    "pif": ("uuid", "device", "host", "management", "currently_attached", "IP", "network", "physical"),
    "network": ("uuid", "name_label", "bridge"),
    "task": ("uuid", "name_label", "status", "error_info", "resident_on", "created", "finished", "progress"),
    "message": ("uuid", "name", "priority", "cls", "obj_uuid", "timestamp", "body"),
}  # fmt: skip
"""By class, in small letters as events name it. The rest of a record, most of it, is let go."""

_WIRE = {name: name.upper() if name in {"vm", "vbd", "vif", "vdi", "sr", "pbd", "pif"} else name for name in FIELDS}
_WIRE |= {"vm_metrics": "VM_metrics", "vm_guest_metrics": "VM_guest_metrics"}
CLASSES: tuple[str, ...] = tuple(_WIRE[name] for name in FIELDS)
"""As xapi spells them: event.from of old versions compares without regard to case, newer ones too."""


class PoolRecords:
    """All objects of one pool that are watched."""

    def __init__(self) -> None:
        self._by_class: dict[str, dict[str, Record]] = {name: {} for name in FIELDS}

    def of(self, class_: str) -> Mapping[str, Record]:
        """Records of a class by their reference."""
        return self._by_class[class_]

    def get(self, class_: str, ref: object) -> Record | None:
        """The object that a field of another refers to; None where it is gone or was none."""
        return self._by_class[class_].get(str(ref))

    def put(self, class_: str, ref: str, snapshot: Record) -> Record:
        """Keep of an object what is asked for."""
        record = {name: snapshot[name] for name in FIELDS[class_] if name in snapshot}
        self._by_class[class_][ref] = record
        return record

    def drop(self, class_: str, ref: str) -> Record | None:
        """The object is gone."""
        return self._by_class[class_].pop(ref, None)

    def agrees_with(self, counts: Mapping[str, Any], classes: Iterable[str]) -> bool:
        """Whether there are as many of each class as xapi has: a restart of the toolstack tells of no deletions."""
        return all(int(counts[name]) == len(self._by_class[name]) for name in classes if name in counts)


def whole_number(value: object) -> int | None:
    """An int of xapi's is 64 bits wide and comes as text; -1 stands for unknown in most of its fields."""
    try:
        number = int(str(value))
    except ValueError:
        return None
    return number if number >= 0 else None


def moment(value: object) -> float | None:
    """`20261130T09:08:58Z`, also with dashes or without the Z, as seconds since the epoch; None for 1970."""
    text = str(value).strip().replace("-", "").removesuffix("Z").partition(".")[0]
    try:
        found = datetime.strptime(text, "%Y%m%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return found or None
