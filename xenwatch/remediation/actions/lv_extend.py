"""Grows a logical volume that backs a guest, by one step, up to a limit, while its group keeps a reserve."""

import re

from xenwatch.base.durations import parse_size
from xenwatch.base.errors import HostError, InputError
from xenwatch.host.parse.lvm import number, parse_report
from xenwatch.remediation.action import Action, Context, Finding, Plan, Step, Verdict
from xenwatch.remediation.checks import finding
from xenwatch.remediation.machine.port import Order, argv, name_of
from xenwatch.remediation.machine.privileges import Privileges

_MIB = 1024 * 1024
_MOST_STEP = 64 * 1024
_RESERVE = 0.05
_NUMBERS = re.compile(r"(\d+):(\d+)")
_MAPPING = re.compile(r"((?:[^-/]|--)+)-((?:[^-/]|--)+?)(?:-tpool|_tdata|_tmeta)?")
"""Device-mapper doubles the hyphens of the two names that it joins with one; a pool in use has a layer of its own."""
_LVM = Privileges(
    capabilities=("CAP_SYS_ADMIN",),
    writes=("/etc/lvm", "/run/lock", "/run/lvm"),
    devices=("/dev/mapper/control rw", "block-* rw"),
)
"""LVM writes its metadata to the disks of the group, and keeps a copy of it below /etc/lvm."""


async def _names(context: Context) -> tuple[str, str]:
    """Group and volume. The kernel names a thin pool by numbers, dmeventd by the name of its mapping."""
    name = context.target.name
    if found := _NUMBERS.fullmatch(name):
        name = await _mapping(context, *found.groups())
    if "/" not in name and (joined := _MAPPING.fullmatch(name)):
        vg, lv = (part.replace("--", "-") for part in joined.groups())
    else:
        vg, _, lv = name.partition("/")
    return name_of(vg, "a volume group"), name_of(lv, "a logical volume")


async def _mapping(context: Context, major: str, minor: str) -> str:
    argv_ = ("dmsetup", "info", "-c", "--noheadings", "-o", "name", "-j", major, "-m", minor)
    answer = await context.read_once(*argv_)
    if not answer.ok:
        raise InputError(f"device-mapper does not know {major}:{minor}: {answer.summary}")
    return answer.out.strip()


def _step(context: Context) -> int:
    """MiB to add."""
    try:
        mib = parse_size(context.param("by")) // _MIB
    except ValueError as error:
        raise InputError(str(error)) from error
    if not 0 < mib <= _MOST_STEP:
        raise InputError(f"by={context.param('by')}: a step is 1 MiB to 64 GiB")
    return mib


async def _mib(context: Context, tool: str, column: str, name: str) -> int | None:
    argv_ = (tool, "--reportformat", "json", "--units", "m", "--nosuffix", "-o", column, "--", name)
    answer = await context.read(*argv_)
    try:
        report = parse_report(answer.out)
    except HostError:
        return None
    rows = report.lvs if tool == "lvs" else report.vgs
    value = number(rows[0], column) if answer.ok and len(rows) == 1 else None
    return None if value is None else int(value)


async def _check(context: Context) -> list[Finding]:
    vg, lv = await _names(context)
    step, most = _step(context), parse_size(context.param("max")) // _MIB
    size = await _mib(context, "lvs", "lv_size", f"{vg}/{lv}")
    total, free = await _mib(context, "vgs", "vg_size", vg), await _mib(context, "vgs", "vg_free", vg)
    if size is None or total is None or free is None:
        return [Finding("sizes", "unknown", f"LVM does not report the sizes of {vg}/{lv}", "lvs, vgs")]
    context.baseline["mib"] = str(size)
    return [
        finding("limit", size + step <= most, f"{size} MiB now, {step} MiB more, at most {most} MiB", "lvs"),
        finding("group", free - step >= _RESERVE * total, f"{free} of {total} MiB free in {vg}; 5 % stay", "vgs"),
    ]


async def _plan(context: Context) -> Plan:
    vg, lv = await _names(context)
    return Plan((Step(Order(argv("lvextend", "--size", f"+{_step(context)}m", "--", f"{vg}/{lv}"), privileges=_LVM)),))


async def _verify(context: Context) -> Verdict:
    vg, lv = await _names(context)
    size, before = await _mib(context, "lvs", "lv_size", f"{vg}/{lv}"), int(context.baseline["mib"])
    if size is None:
        return Verdict(None, "LVM does not report the size")
    return Verdict(size >= before + _step(context), f"{vg}/{lv} has {size} MiB; {before} before")


ACTION = Action(
    name="lv_extend",
    title="Grow a logical volume",
    risk="L2",
    kinds=("lv", "thinpool"),
    params=("by", "max"),
    required=("by", "max"),
    check=_check,
    plan=_plan,
    verify=_verify,
    within=30.0,
    undo="none: a volume is never shrunk automatically",
)
