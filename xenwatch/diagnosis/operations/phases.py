"""How far an operation had got when a record was written: told by the part of Xen that wrote it."""

from functools import lru_cache
from typing import Literal, get_args

from xenwatch.base import lazy_re as re
from xenwatch.model.event import Event

Phase = Literal[
    "parse", "make", "build", "device-model", "devices", "unpause", "firmware", "loader", "kernel", "running",
    "shutdown", "teardown",
]  # fmt: skip
"""In the order in which a guest goes through them; docs/writing-rules.md explains each."""

PHASES: tuple[Phase, ...] = get_args(Phase)
TEARDOWN: Phase = "teardown"

_WRITERS: dict[Phase, str] = {
    "teardown": (
        r"destroy_domid|domain_destroy_(?:callback|cb)|libxl__devices_destroy|devices_destroy_cb"
        r"|[Dd]estruction of domain|[Uu]nable to destroy guest|[Nn]on-exist[ae]nt domain|needs? to be cleaned up"
        r"|[Dd]estroying (?:the )?domain|forcibl[ey]|XendDomainInfo\.destroy|cleanupDomain|cleanupVm"
        r"|domain_kill|shutdown_cb|kill_device_model|libxl__destroy_device_model|destroy_device_model"
    ),
    "parse": r"xlu?_cfg|config parsing|Parsing config|parse_config|_setdefault|set_backend:|initiate_domain_create",
    "build": r"\bxc: |xc_dom|xg_dom|libxl__build|domcreate_rebuild|libxl_dom\.c|xc_hvm_build|domainbuilder|xc_linux",
    "make": r"libxl__domain_make|bootloader|pygrub|pvgrub|domcreate_bootloader",
    "device-model": r"libxl_dm\.c|libxl_qmp|device model|domcreate_devmodel|qemu-(?:dm|system)|domcreate_launch_dm",
    "devices": (
        r"libxl_(?:device|nic|disk|pci|usb|vtpm|vkb|console|linux|netbsd|exec)\.c|domcreate_(?:attach|launch)"
        r"|[Hh]otplug|/etc/xen/scripts/|\bvif\b|\bvbd\b|backend/"
    ),
    "firmware": r"hvmloader|SeaBIOS|OVMF|HVM Loader",
    "unpause": r"unpause",
}
"""Which lines belong to which phase; asked in this order."""
_COMPILED = tuple((phase, re.compile(pattern, re.ASCII)) for phase, pattern in _WRITERS.items())
_LONGEST = 2000


def phase_of(text: str) -> Phase | None:
    """The phase of which the record speaks; None where its words do not say."""
    return _phase_of(text[:_LONGEST])


@lru_cache(maxsize=1024)  # asked twice for each event, and a log says the same again and again
def _phase_of(head: str) -> Phase | None:
    return next((phase for phase, pattern in _COMPILED if pattern.search(head)), None)


def phase_at(event: Event) -> str | None:
    """What the rule says, else the part of Xen that wrote the line."""
    return event.phase or (phase_of(event.record.text) if event.record is not None else None)


def rank(phase: str | None) -> int:
    """Where the phase stands in the order; what is not known stands between the phases and the teardown."""
    if phase == TEARDOWN:
        return len(PHASES) + 1
    return PHASES.index(phase) if phase in PHASES else len(PHASES)
