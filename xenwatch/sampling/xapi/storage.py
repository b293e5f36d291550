"""Storage repositories: space, which hosts have them, what lies in them, and their chains of disks."""

from collections import Counter
from collections.abc import Iterator

from xenwatch.host.xapi.chains import chains
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import PoolRecords, whole_number
from xenwatch.model.sample import Sample
from xenwatch.sampling.xapi import families as f

_SPACE = (
    (f.SR_SIZE, "physical_size"),
    (f.SR_USED, "physical_utilisation"),
    (f.SR_VIRTUAL, "virtual_allocation"),
)
_KINDS = ("guest", "snapshot", "unused", "base")


def storage_samples(records: PoolRecords, names: PoolNames, pool: str) -> Iterator[Sample]:
    """Of each repository; drives of ISO images and the like have no size and tell none."""
    kinds, hanging = _kinds(records), chains(records)
    for ref, name in names.repositories.items():
        sr = records.of("sr")[ref]
        yield Sample(f.SR_INFO, (name, pool, str(sr["uuid"]), str(sr["type"]), str(bool(sr["shared"])).lower()), 1.0)
        size = whole_number(sr.get("physical_size"))
        for metric, key in _SPACE:
            if size and (value := whole_number(sr.get(key))) is not None:
                yield Sample(metric, (name, pool), float(value))
        for kind in _KINDS:
            yield Sample(f.SR_VDIS, (name, kind, pool), float(kinds[ref, kind]))
        if ref in hanging:
            yield Sample(f.SR_CHAIN, (name, pool), float(hanging[ref].longest))
            yield Sample(f.SR_COALESCE, (name, pool), float(len(hanging[ref].to_coalesce)))
    for pbd in records.of("pbd").values():
        repository, host = names.repositories.get(str(pbd["SR"])), names.hosts.get(str(pbd["host"]))
        if repository is not None and host is not None:
            yield Sample(f.SR_ATTACHED, (repository, host, pool), float(bool(pbd["currently_attached"])))


def _kinds(records: PoolRecords) -> Counter[tuple[str, str]]:
    used = {str(vbd["VDI"]) for vbd in records.of("vbd").values()}
    counts: Counter[tuple[str, str]] = Counter()
    for ref, vdi in records.of("vdi").items():
        if not vdi.get("managed", True):
            kind = "base"
        elif vdi.get("is_a_snapshot"):
            kind = "snapshot"
        else:
            kind = "guest" if ref in used else "unused"
        counts[str(vdi["SR"]), kind] += 1
    return counts
