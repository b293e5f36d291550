"""Where facts come from in what people collect: recognises the files that hold the output of a command."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xenwatch.base import lazy_re as re
from xenwatch.facts import config_guest, config_network, config_system, config_xen, definitions, lvm
from xenwatch.facts.config_boot import boot_entries, kernel_command_line
from xenwatch.facts.config_guest import PATHS_HEADING
from xenwatch.facts.definitions import FactRow
from xenwatch.model.fact import Fact

LARGEST_OUTPUT = 8 * 1024 * 1024
"""Bytes of one command's output that are looked at."""

_ENDING = re.compile(r"\.(?:out|txt|log|json|cmd|stdout)$")
_PUNCTUATION = re.compile(r"[\s.:=+-]+|_{2,}")


@dataclass(frozen=True, slots=True)
class FactsReader:
    """One command: how its files are called in what people collect, how its output starts, and how it is read."""

    name: str
    """As the command is typed: `xl list`."""
    file_name: re.Pattern[str]
    """Matched at the start of the file's name, in lower case, with `_` for all punctuation and without its ending."""
    content: re.Pattern[str]
    """Searched in the output: a file of the right name that holds an error message stays a log."""
    definition: Callable[[str], Iterator[FactRow]]
    path: re.Pattern[str] | None = None
    """Searched in the path: where files of this kind lie, whatever they are called."""
    by_content: bool = True
    """The content alone is proof enough, so a file of any name is taken when it begins with it."""

    def read(self, text: str, at: float, origin: str) -> Iterator[Fact]:
        for name, subject, value in self.definition(text):
            yield Fact(name, subject, value, at, origin)


def _reader(
    name: str, file_name: str, content: str, definition: Callable[[str], Iterator[FactRow]], *, by_content: bool = True
) -> FactsReader:
    return FactsReader(
        name, re.compile(rf"(?:{file_name})(?:_|$)"), re.compile(content, re.MULTILINE), definition, None, by_content
    )


def _configuration(
    name: str, file_name: str, path: str, content: str, definition: Callable[[str], Iterator[FactRow]]
) -> FactsReader:
    """A file that says what it is by its whole name or by where it lies; its content alone is no proof."""
    return FactsReader(
        name,
        re.compile(rf"(?:{file_name})$"),
        re.compile(content, re.MULTILINE),
        definition,
        re.compile(path) if path else None,
        by_content=False,
    )


_NOT_IN_USE = "|".join(map(re.escape, config_guest.NOT_IN_USE))
_NAMED_GUEST = r"^\s*name\s*=\s*[\"'][^\"'\n]+[\"']\s*(?:[;#].*)?$"

_DOMAIN_XML = r"\A(?:\s|<[!?][^>]*>)*<domain\b"

CONFIGURATION_READERS = (
    _configuration("autostart", "(?!)", r"/xen/auto/[^/]+$", _NAMED_GUEST, config_guest.autostart_config),
    _configuration(
        "guest configuration",
        r"(?!.*example).+_(?:cfg|hvm|pv)",  # a copy has another ending behind it
        rf"/etc/xen/(?!.*(?:{_NOT_IN_USE}))[^/]+$",
        _NAMED_GUEST,
        config_guest.guest_config,
    ),
    _configuration("autostart of libvirt", "(?!)", r"/libxl/autostart/[^/]+$", _DOMAIN_XML, config_guest.autostart_xml),
    _configuration("guest definition", ".+_xml", "", _DOMAIN_XML, config_guest.guest_xml),
    _configuration("xend-config.sxp", "xend_config_sxp", "", r"^\s*\([a-z][\w-]+", config_xen.xend_config),
    _configuration("xl.conf", "xl_conf", "", r"^\s*#?\s*[\w.]+\s*=", config_xen.xl_conf),
    _configuration("ls /etc/xen/auto", r"(?:ls_l?_?)?etc_xen_auto", "", r" -> |^total ", config_xen.autostart_links),
    _configuration("files of guests", "guest_files", "", re.escape(PATHS_HEADING), config_guest.listed_paths),
    _configuration(
        "/proc/cmdline", "(?:cat_)?(?:proc_)?cmdline", "", r"\A[^\n]*\b(?:root|BOOT_IMAGE)=", kernel_command_line
    ),
    _configuration(
        "boot menu", "grub2?_cfg|grub_conf|menu_lst", "", r"^\s*(?:multiboot2?|kernel|linux)\s", boot_entries
    ),
    _configuration("/etc/fstab", "(?:cat_)?(?:etc_)?fstab", "", r"^[^#\s]\S*\s+\S+\s+\w+\s+\S+", config_system.fstab),
    _configuration("/etc/exports", "(?:cat_)?(?:etc_)?exports", "", r"^/\S*\s+\S*\(", config_system.exports),
    _configuration("sysctl", "sysctl(?:_a)?", "", r"^net\.\S+ = \d", config_system.printed_sysctls),
    _configuration(
        "systemctl list-unit-files",
        r"systemctl\w*",
        "",
        r"^[\w@:.\\-]+\.service\s+(?:enabled|disabled|static)",
        config_system.unit_files,
    ),
    _configuration(
        "systemctl list-units",
        r"systemctl\w*",
        "",
        r"^\W*[\w@:.\\-]+\.service\s+(?:loaded|not-found|masked|error|bad-setting)\s",
        config_system.units,
    ),
    _configuration(
        "/etc/network/interfaces",
        "(?:etc_)?(?:network_)?interfaces",
        "",
        r"^\s*iface\s+\S+\s+inet6?\s",
        config_network.interfaces,
    ),
    _configuration("ifcfg", r"ifcfg_\w+", "", r"^DEVICE=", config_network.ifcfg),
    _configuration("smartctl -H", r"smartctl\w*", "", r"^SMART (?:overall-health|Health Status)", config_system.smart),
)

READERS = (
    *CONFIGURATION_READERS,
    _reader("xl list", "x[lm]_list", r"^Name\s+I[Dd]\s+Mem", definitions.listed_domains),
    _reader("xl info", "x[lm]_info", r"^(?:total_memory|xen_major)\s*: ", definitions.printed_hypervisor),
    _reader("brctl show", "brctl_show|brctl|bridges", r"^bridge name\s+bridge id", definitions.brctl_bridges),
    _reader("bridge link", "bridge_(?:j_)?link", r"\bmaster\b", definitions.bridge_links, by_content=False),
    _reader(
        "ip link",
        "ip_\\w*(?:a|addr|address|l|link)|ifconfig|ip_br",
        r"<(?:\w+,)*(?:UP|LOOPBACK|BROADCAST)|\"ifname\"|^\S+\s+(?:UP|DOWN|UNKNOWN)|Link encap|flags=",
        definitions.printed_interfaces,
        by_content=False,
    ),
    _reader("vgs", "vgs|vgdisplay", r"^\s*VG\s.*Attr|\"vg_free\"", lvm.volume_groups),
    _reader("lvs", "lvs|lvdisplay", r"^\s*LV\s+VG\s+Attr|\"lv_name\"", lvm.logical_volumes),
    _reader("pvs", "pvs|pvdisplay", r"^\s*PV\s.*Attr|\"pv_name\"", lvm.physical_volumes),
    _reader("losetup", "losetup", r"^/dev/loop\d+[: ]", definitions.printed_loops),
    _reader("dmsetup ls", "dmsetup_ls", r"^\S+\s+\(\d+[:,] ?\d+\)$", definitions.printed_mappings, by_content=False),
    _reader("/proc/mdstat", "(?:cat_proc_|proc_)?mdstat", r"^Personalities :", definitions.arrays),
    _reader("df", "df(?:_[ailhpt]+)*", r"^Filesystem\s.*Mounted on", definitions.printed_space),
    _reader("ps", "ps(?:_\\w+)?", r"^\s*(?:\S+\s+)*PID\s", definitions.printed_processes, by_content=False),
    _reader(
        "mounts",
        "(?:cat_)?(?:proc_)?mounts?",
        r"^\S+ (?:/\S* \S+ r[wo]|on / type )",
        definitions.mounts,
        by_content=False,
    ),
    _reader("/proc/meminfo", "(?:cat_)?(?:proc_)?meminfo", r"^MemTotal: +\d+ kB", definitions.own_memory),
    _reader("free", "free", r"^\s+total\s+used\s+free", definitions.free_memory),
    _reader("xenstore-ls", "xenstore_ls", r"^/?\S+ = \"", definitions.printed_xenstore, by_content=False),
    _reader(
        "/proc/xen/capabilities",
        "(?:cat_)?(?:proc_)?(?:xen_)?capabilities",
        r"^(?:control_d)?\s*$",
        definitions.capabilities,
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
