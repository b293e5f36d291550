"""Where facts come from in what people collect: recognises the files that hold the output of a command."""

from xenwatch.base import lazy_re as re
from xenwatch.facts import definitions, lvm
from xenwatch.facts.host_texts import HOST_TEXTS
from xenwatch.facts.reader import FactsReader, command_output, own_text
from xenwatch.facts.saved_configuration import CONFIGURATION_READERS, STATE_READERS

LARGEST_OUTPUT = 8 * 1024 * 1024
"""Bytes of one command's output that are looked at."""

_ENDING = re.compile(r"\.(?:out|txt|log|json|cmd|stdout)$")
_PUNCTUATION = re.compile(r"[\s.:=+_-]+")

READERS = (
    *(own_text(text) for text in HOST_TEXTS),
    *CONFIGURATION_READERS,
    *STATE_READERS,
    command_output("xl list", "x[lm]_list", r"^Name\s+I[Dd]\s+Mem", definitions.listed_domains, tells="domain."),
    command_output(
        "xl info",
        "x[lm]_info",
        r"^(?:total_memory|xen_major)\s*: ",
        definitions.printed_hypervisor,
        tells="memory. xen.version xen.caps xen.virt_caps host.cpus",
    ),
    command_output(
        "brctl show",
        "brctl_show|brctl|bridges",
        r"^bridge name\s+bridge id",
        definitions.brctl_bridges,
        tells="bridge.names bridge.ports",
    ),
    command_output(
        "bridge link",
        "bridge_(?:j_)?link",
        r"\bmaster\b",
        definitions.bridge_links,
        tells="bridge.ports",
        by_content=False,
    ),
    command_output(
        "ip link",
        "ip_\\w*(?:a|addr|address|l|link)|ifconfig|ip_br",
        r"<(?:\w+,)*(?:UP|LOOPBACK|BROADCAST)|\"ifname\"|^\S+\s+(?:UP|DOWN|UNKNOWN)|Link encap|flags=",
        definitions.printed_interfaces,
        tells="interface.",
        by_content=False,
    ),
    command_output("vgs", "vgs|vgdisplay", r"^\s*VG\s.*Attr|\"vg_free\"", lvm.volume_groups, tells="vg."),
    command_output(
        "lvs",
        "lvs|lvdisplay",
        r"^\s*LV\s+VG\s+Attr|\"lv_name\"",
        lvm.logical_volumes,
        tells="lv.names lv.size lv.active lv.open lv.data lv.snapshot thinpool.",
    ),
    command_output("pvs", "pvs|pvdisplay", r"^\s*PV\s.*Attr|\"pv_name\"", lvm.physical_volumes, tells="pv."),
    command_output("losetup", "losetup", r"^/dev/loop\d+[: ]", definitions.printed_loops, tells="loop."),
    command_output(
        "dmsetup ls",
        "dmsetup_ls",
        r"^\S+\s+\(\d+[:,] ?\d+\)$",
        definitions.printed_mappings,
        tells="dm.",
        by_content=False,
    ),
    command_output(
        "/proc/mdstat", "(?:cat_proc_|proc_)?mdstat", r"^Personalities :", definitions.arrays, tells="array."
    ),
    command_output(
        "df", "df(?:_[ailhpt]+)*", r"^Filesystem\s.*Mounted on", definitions.printed_space, tells="disk. mount.holds"
    ),
    command_output(
        "ps", "ps(?:_\\w+)?", r"^\s*(?:\S+\s+)*PID\s", definitions.printed_processes, tells="process.", by_content=False
    ),
    command_output(
        "mounts",
        "(?:cat_)?(?:proc_)?mounts?",
        r"^\S+ (?:/\S* \S+ r[wo]|on / type )",
        definitions.mounts,
        tells="mounts. device.mounted_on mount.type mount.read_only",
        by_content=False,
    ),
    command_output(
        "/proc/meminfo", "(?:cat_)?(?:proc_)?meminfo", r"^MemTotal: +\d+ kB", definitions.own_memory, tells="dom0."
    ),
    command_output("free", "free", r"^\s+total\s+used\s+free", definitions.free_memory, tells="dom0."),
    command_output(
        "xenstore-ls",
        "xenstore_ls",
        r"^/?\S+ = \"",
        definitions.printed_xenstore,
        tells="hotplug. device_model.",
        by_content=False,
    ),
    command_output(
        "/proc/xen/capabilities",
        "(?:cat_)?(?:proc_)?(?:xen_)?capabilities",
        r"^(?:control_d)?\s*$",
        definitions.capabilities,
        tells="xen.dom0",
        by_content=False,
    ),
)


def facts_reader(path: str, head: bytes, *, named_as_log: bool = False) -> FactsReader | None:
    """The command that printed what the file holds: name and content agree, or the file begins with telling content.

    None for everything else, such as a file that is called as a log is: it stays one.
    """
    file_name = _plain_name(path)
    text = head.decode("utf-8", "replace")
    for reader in READERS:
        named = reader.file_name.match(file_name) or (reader.path is not None and reader.path.search(path))
        if named and reader.content.search(text):
            return reader
    if named_as_log:
        return None
    start = text.lstrip().split("\n", 1)[0]
    return next((reader for reader in READERS if reader.by_content and reader.content.match(start)), None)


def _plain_name(path: str) -> str:
    """`sos_commands/xen/xl_list_-v` and `xl-list.out` are both called after the command."""
    base = path.rsplit("/", 1)[-1].lower()
    return _PUNCTUATION.sub("_", _ENDING.sub("", base)).strip("_")
