"""What people call the things of a pool, each name once: xapi lets several have one name, and knows them by uuid."""

from collections import Counter
from collections.abc import Callable, Mapping

from xenwatch.host.xapi.records import PoolRecords, Record

_UUID_SHOWN = 8


class PoolNames:
    """Names of one moment, by reference. Two pools are equal in their names if these mappings are."""

    def __init__(self, records: PoolRecords) -> None:
        hosts, guests = records.of("host"), records.of("vm")
        self.hosts = _distinct(hosts, lambda _ref, _host: "")
        self.guests = _distinct({ref: vm for ref, vm in guests.items() if is_guest(vm)}, lambda _ref, _vm: "")
        homes = _homes(records)
        self.repositories = _distinct(
            records.of("sr"), lambda ref, sr: "" if sr.get("shared") else self.hosts.get(homes.get(ref, ""), "")
        )


def is_guest(vm: Record) -> bool:
    """Also a control domain; neither a template nor a snapshot, which xapi keeps among them."""
    return not (vm.get("is_a_template") or vm.get("is_a_snapshot") or vm.get("is_default_template"))


def _homes(records: PoolRecords) -> dict[str, str]:
    """Of each repository that hangs on one host: which."""
    return {str(pbd["SR"]): str(pbd["host"]) for pbd in records.of("pbd").values()}


def _distinct(records: Mapping[str, Record], place: Callable[[str, Record], str]) -> dict[str, str]:
    """`Local storage` of three hosts is `Local storage (xcp1)` …; what is still the same has its uuid behind it."""
    plain = {ref: _label(record) for ref, record in records.items()}
    for tell in (place, lambda _ref, record: str(record["uuid"])[:_UUID_SHOWN]):
        shared = {name for name, count in Counter(plain.values()).items() if count > 1}
        if not shared:
            break
        for ref, name in plain.items():
            more = tell(ref, records[ref]) if name in shared else ""
            plain[ref] = f"{name} ({more})" if more else name
    return plain


def _label(record: Record) -> str:
    return str(record.get("name_label") or record["uuid"])
