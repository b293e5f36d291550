"""Chains of disks: what hangs on what, and what waits to be merged, by the parents that the storage manager notes."""

from collections import Counter
from typing import NamedTuple

from xenwatch.host.xapi.records import PoolRecords, Record

PARENT = "vhd-parent"
"""In sm_config: the uuid of the disk below (sm: drivers/LVHDSR.py, FileSR.py). QCOW2 does so, too."""
LONGEST = 30
"""Disks in a chain, behind which sm takes no further snapshot (sm: drivers/vhdutil.py)."""


class ChainState(NamedTuple):
    """Of one repository, by its reference."""

    longest: int
    to_coalesce: tuple[str, ...]
    """Uuids of disks that nobody uses and that have one child alone: a merge would end them."""


def chains(records: PoolRecords) -> dict[str, ChainState]:
    """By the reference of the repository. A disk without a note of its parent is a chain of one."""
    vdis = {str(vdi["uuid"]): vdi for vdi in records.of("vdi").values()}
    parents = {uuid: parent for uuid, vdi in vdis.items() if (parent := _parent(vdi)) is not None}
    children = Counter(parents.values())
    longest: dict[str, int] = {}
    waiting: dict[str, list[str]] = {}
    for uuid, vdi in vdis.items():
        repository = str(vdi["SR"])
        longest[repository] = max(longest.get(repository, 0), _depth(uuid, parents))
        if not vdi.get("managed", True) and children[uuid] == 1:
            waiting.setdefault(repository, []).append(uuid)
    return {ref: ChainState(depth, tuple(sorted(waiting.get(ref, ())))) for ref, depth in longest.items()}


def _parent(vdi: Record) -> str | None:
    parent = vdi.get("sm_config", {}).get(PARENT)
    return str(parent) if parent else None


def _depth(uuid: str, parents: dict[str, str]) -> int:
    depth, seen = 1, {uuid}
    while (parent := parents.get(uuid)) is not None and parent not in seen:
        depth, uuid = depth + 1, parent
        seen.add(parent)
    return depth
