"""Logical volumes that were there and are not any more: what was wrong with one is over."""

from collections.abc import Iterable

from xenwatch.model.incident import Incident
from xenwatch.model.sample import Snapshot
from xenwatch.model.subject import Subject

Over = tuple[str, Subject, float]
"""A rule, what it was about, and when that ended."""


class RemovedVolumes:
    """Compares each host's volumes with those of the snapshot before."""

    def __init__(self) -> None:
        self._before: dict[str | None, set[str]] = {}

    def see(self, snapshot: Snapshot, incidents: Iterable[Incident]) -> list[Over]:
        """Those of the incidents that a volume had which was removed since; none where LVM did not answer."""
        groups = [s.labels[0] for s in snapshot.samples if s.metric.name == "xen_lvm_vg_size_bytes"]
        if not groups:
            return []
        now = {name for sample in snapshot.samples if sample.metric.name == "xen_lvm_lv_size_bytes"
               for name in _names(*sample.labels[:2])}  # fmt: skip
        gone = self._before.get(snapshot.host, set()) - now
        self._before[snapshot.host] = now
        return [
            (one.diagnosis.rule, one.diagnosis.subject, snapshot.at)
            for one in (incidents if gone else ())
            if one.diagnosis.subject.kind == "lv" and one.diagnosis.subject.name in gone
        ]


def _names(group: str, volume: str) -> tuple[str, str]:
    """As LVM and as device-mapper call it; the latter doubles hyphens (lvm2: libdm/libdm-string.c)."""
    return f"{group}/{volume}", f"{group.replace('-', '--')}-{volume.replace('-', '--')}"
