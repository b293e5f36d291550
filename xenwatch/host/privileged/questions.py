"""The questions that only root may ask of this host: programs that read, with fixed words and a few checked names."""

import re
from collections.abc import Sequence

from xenwatch.host.privileged.secrets import is_secret

_NAME = re.compile(r"[A-Za-z0-9_+:@][A-Za-z0-9_.+:@-]{0,254}")
_PATH = re.compile(r"/[A-Za-z0-9_.+:@/-]{0,1000}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_TAPDISK = re.compile(r"/dev/shm/vbd3-\d{1,5}-\d{1,10}/statistics")  # noqa: S108 - where tapdisk has it
_COLUMNS = re.compile(r"[a-z_]{1,40}")

Word = str | re.Pattern[str]
"""A word as it must stand there, or the form that it must have."""

_LVM_VG = "vg_name,vg_size,vg_free,vg_missing_pv_count,lv_count,snap_count,vg_mda_free,vg_extent_size"
_LVM_PV = "pv_name,vg_name,pv_size,pv_free,pv_missing"
_LVM_LV = (
    "vg_name,lv_name,lv_size,lv_active,lv_device_open,lv_suspended,lv_health_status,lv_time,data_percent,metadata_percent,"
    "snap_percent,lv_snapshot_invalid,origin,pool_lv,copy_percent,raid_mismatch_count,lv_dm_path,lv_layout"
)
LVM_REPORT = (
    "lvm", "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix", "--config", 'report{time_format="%s"}',
    "--configreport", "vg", "-o", _LVM_VG, "--configreport", "pv", "-o", _LVM_PV, "--configreport", "lv", "-o", _LVM_LV,
    "--configreport", "pvseg", "-o", "pvseg_start", "--configreport", "seg", "-o", "seg_start",
)  # fmt: skip
"""All that LVM knows, in one run."""
_COLUMN = ("--reportformat", "json", "--units", "m", "--nosuffix", "-o", _COLUMNS, "--")

QUESTIONS: tuple[tuple[Word, ...], ...] = (
    *((tool, *words) for tool in ("xl", "xm") for words in (
        ("info",), ("info", "-n"), ("list",), ("list", "-v"), ("list", "-l"), ("list", "--long"), ("list", "-l", _NAME),
        ("vcpu-list",), ("dmesg",), ("cpupool-list",), ("sched-credit",), ("sched-credit2",),
    )),
    ("xenstore-ls", "-f"), ("xenstore-ls", "-fp"), ("xenstore-ls", "-f", _PATH),
    LVM_REPORT,
    ("lvs", *_COLUMN, re.compile(rf"{_NAME.pattern}/{_NAME.pattern}")), ("vgs", *_COLUMN, _NAME), ("lvs",), ("vgs",),
    ("pvs",),
    ("dmsetup", "info", "-c", "--noheadings", "--separator", "|", "-o", "name,uuid,open"),
    ("dmsetup", "info", "-c", "--noheadings", "-o", "name", "-j", _NUMBER, "-m", _NUMBER),
    ("dmsetup", "info", "--columns", "--noheadings", "-o", "open", _PATH),
    ("dmsetup", "status", "--target", "multipath"), ("dmsetup", "ls"),
    ("losetup", "--json", "--list", "--associated", _PATH), ("losetup", "-a"),
    ("blockdev", "--getsize64", _PATH),
    ("smartctl", "-n", "standby", "-H", re.compile(r"/dev/[a-z0-9]{1,30}")),
    ("smartctl", "--json", "-n", "standby", "-a", re.compile(r"/dev/[a-z0-9]{1,30}")),
    ("xenpm", "get-cpuidle-states"), ("xenpm", "get-cpufreq-states"), ("xen-diag", "gnttab_query_size", _NUMBER),
    ("od", "-A", "n", "-v", "-t", "d8", "-N", _NUMBER, "--", _TAPDISK),
    ("crm_resource", "--list-raw"), ("xen-livepatch", "list"), ("lldpctl", "-f", "json"),
)  # fmt: skip
"""Each is a whole argv. None of the programs changes anything with these words."""
THERE: tuple[tuple[Word, ...], ...] = (
    ("cat", "--", "/etc/machine-id"), ("cat", "--", "/proc/cpuinfo"), ("cat", "--", "/etc/xen/xend-config.sxp"),
    ("which", _NAME), ("ls", "-1", "--", _PATH), ("date", "+%s.%N"), ("sha256sum", "--", _PATH),
    *(("stat", "--dereference", form, "--", _PATH) for form in ("--format=%F", "--format=%s")),
    ("stat", "--file-system", "--format=%T", "--", _PATH), ("stat", "--format=%i %s", "--", _PATH),
    ("udevadm", "info", "--query=property", re.compile(rf"--name={_PATH.pattern}")),
    ("lsblk", "--json", "--paths", "--output", "NAME,TYPE,MOUNTPOINT", "--", _PATH),
    ("ip", "-j", "-d", "link", "show"), ("df", "--output=avail", "-m", "--", _PATH),
    ("qemu-system-i386", "--version"), ("ps", "-eo", "pid=,args="),
)  # fmt: skip
"""What is asked of another host besides: here every user may ask it, but only root may log in there."""
_MOST_NODES = 2000
"""Nodes of one `xenstore-read`: a guest each."""


def is_question(argv: Sequence[str]) -> bool:
    """Whether it is one of them, word for word."""
    if argv and argv[0] == "xenstore-read":
        return 1 < len(argv) <= _MOST_NODES and all(_PATH.fullmatch(p) and not is_secret(p) for p in argv[1:])
    return any(len(form) == len(argv) and all(map(_fits, form, argv)) for form in QUESTIONS)


def is_question_there(argv: Sequence[str]) -> bool:
    """Whether it is one of those that may be asked of another host."""
    return is_question(argv) or any(len(f) == len(argv) and all(map(_fits, f, argv)) for f in THERE)


def _fits(form: Word, word: str) -> bool:
    if isinstance(form, str):
        return form == word
    return form.fullmatch(word) is not None and ".." not in word.split("/")
