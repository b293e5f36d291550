"""LVM and device-mapper of the simulated host, in the words of their programs."""

import json

from xenwatch.demo.answer import Program, Said
from xenwatch.demo.guests import GROUP, GROUP_MIB, MIB
from xenwatch.demo.tree import mapping
from xenwatch.demo.world import SimulatedHost, World

_MADE = "1762300800"


def _in_use(host: SimulatedHost, volume: str) -> bool:
    return volume in host.mounted or any(volume in domain.volumes for domain in host.domains)


def _free_mib(host: SimulatedHost) -> int:
    return GROUP_MIB - sum(host.volumes.values())


def _lvm(_world: World, host: SimulatedHost, _rest: list[str]) -> str:
    """`lvm fullreport`, in bytes."""
    size, free = str(GROUP_MIB * MIB), str(_free_mib(host) * MIB)
    group = {
        "vg_name": GROUP, "vg_size": size, "vg_free": free, "vg_missing_pv_count": "0", "vg_mda_free": "519680",
        "lv_count": str(len(host.volumes)), "snap_count": "0", "vg_extent_size": "4194304",
    }  # fmt: skip
    below = {"pv_name": "/dev/md0", "vg_name": GROUP, "pv_size": size, "pv_free": free, "pv_missing": ""}
    volumes = [_volume(host, name) for name in sorted(host.volumes)]
    return json.dumps({"report": [{"vg": [group], "pv": [below], "lv": volumes, "pvseg": [], "seg": []}]})


def _volume(host: SimulatedHost, name: str) -> dict[str, str]:
    empty = (
        "lv_suspended", "lv_health_status", "data_percent", "metadata_percent", "snap_percent", "lv_snapshot_invalid",
        "origin", "copy_percent", "raid_mismatch_count",
    )  # fmt: skip
    return dict.fromkeys(empty, "") | {
        "vg_name": GROUP, "lv_name": name, "lv_size": str(host.volumes[name] * MIB), "lv_active": "active",
        "lv_device_open": "open" if _in_use(host, name) else "", "lv_time": _MADE,
        "lv_dm_path": f"/dev/mapper/{mapping(name)}", "lv_layout": "linear",
    }  # fmt: skip


def _lvs(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    """One volume, in mebibytes."""
    name = rest[-1].removeprefix(f"{GROUP}/")
    if name not in host.volumes:
        return Said(5, "", f'  Failed to find logical volume "{rest[-1]}"\n')
    return json.dumps({"report": [{"lv": [{"lv_size": f"{host.volumes[name]}.00"}]}]})


def _vgs(_world: World, host: SimulatedHost, _rest: list[str]) -> str:
    return json.dumps({"report": [{"vg": [{"vg_size": f"{GROUP_MIB}.00", "vg_free": f"{_free_mib(host)}.00"}]}]})


def _lvextend(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    name = rest[-1].removeprefix(f"{GROUP}/")
    more = int("".join(filter(str.isdigit, " ".join(rest[:-1]))) or 0)
    if name not in host.volumes or more > _free_mib(host):
        return Said(5, "", f"  Insufficient free space or no such volume: {rest[-1]}\n")
    host.volumes[name] += more
    return f"  Logical volume {rest[-1]} successfully resized.\n"


def _dmsetup(_world: World, host: SimulatedHost, rest: list[str]) -> str:
    if rest[:1] != ["info"]:
        return ""
    rows = [f"{mapping(v)}|LVM-{GROUP}{v}|{int(_in_use(host, v))}" for v in sorted(host.volumes)]
    return "\n".join(rows) + "\n"


LVM: dict[str, Program] = {"lvm": _lvm, "lvs": _lvs, "vgs": _vgs, "lvextend": _lvextend, "dmsetup": _dmsetup}
"""By program."""
