"""Logical volumes that are not there any more: what was wrong with one is over."""

from collections.abc import Iterable

from xenwatch.base import lazy_re as re
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Snapshot
from xenwatch.model.subject import Subject

Over = tuple[str, Subject, float]
"""A rule, what it was about, and when that ended."""

_HIDDEN = re.compile(r"[-_](?:tpool|tdata|tmeta|cdata|cmeta|cow|real|mlog|r?m(?:image|eta)_\d+|pvmove\d+)\Z")
"""Parts of volumes that have names of their own and stand in no list (lvm2: lib/metadata, libdm/libdm-deptree.c)."""


def removed_volumes(snapshot: Snapshot, incidents: Iterable[Incident]) -> list[Over]:
    """Those of the incidents that a volume had which LVM no longer lists; none where it did not answer.

    They end when LVM was asked: a snapshot repeats its last answer, which may be older than the volume.
    """
    of_volumes = [one for one in incidents if _is_open_here(one, snapshot.host)]
    if not of_volumes:
        return []
    asked = snapshot.health["lvm"].last_success if "lvm" in snapshot.health else None
    groups = [s.labels[0] for s in snapshot.samples if s.metric.name == "xen_lvm_vg_size_bytes"]
    if not groups:
        return []
    listed = {name for s in snapshot.samples if s.metric.name == "xen_lvm_lv_size_bytes" for name in _names(*s.labels)}
    within = tuple(name for group in groups for name in _names(group, ""))
    return [
        (one.diagnosis.rule, one.diagnosis.subject, snapshot.at if asked is None else asked)
        for one in of_volumes
        if _is_gone(one.diagnosis.subject.name, within, listed)
    ]


def _is_open_here(incident: Incident, host: str | None) -> bool:
    subject = incident.diagnosis.subject
    return subject.kind == "lv" and subject.host == host and incident.state != "resolved"


def _is_gone(name: str, within: tuple[str, ...], listed: set[str]) -> bool:
    return name.startswith(within) and name not in listed and not _HIDDEN.search(name)


def _names(group: str, volume: str) -> tuple[str, str]:
    """As LVM and as device-mapper call it; the latter doubles hyphens (lvm2: libdm/libdm-string.c)."""
    return f"{group}/{volume}", f"{group.replace('-', '--')}-{volume.replace('-', '--')}"
