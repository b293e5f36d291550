"""The lines of a log that say what is being done, to which guest, and that it has ended."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.hosts import Origin
from xenwatch.model.record import Source

Step = Literal["begin", "about", "told", "config", "running", "end"]
"""`about` says which guest the operation is on, and begins one only where none on that guest is under way.

`told` does so too, but after it failed: the lines before it, which name nobody, are of that guest. `config` is a
configuration that somebody shows beside what failed; it names the guest where nothing else does.
"""


STARTING = frozenset({"create", "start", "restore", "migrate"})
"""The verbs that a guest runs after."""


class Mark(NamedTuple):
    """A pattern for one record.

    Its groups: `target` (a name), `config` (a file that is called after the guest), `domid`, `uuid`, `verb` (a word of
    the command; where it has none, `verb` below), `one` (the number of OpenNebula, which calls guests after it).
    """

    step: Step
    verb: str
    pattern: re.Pattern[str]
    sought: str
    """What every match holds: the engine looks for it in the place of a pattern that would slow it for all others."""


_NAME = r"[\w.:+@-]*[\w+@-]"
_QUOTE = r"[\"'`]?"
_OPTIONS = r"(?:--?[\w-]+(?:=\S+)?\s+)*"
_CONNECT = r"(?:(?:-c|--connect)[ =]\S+\s+)?"
_TOOL = r"(?:^|[\s#$>%;&|(/\"'])"
_XL, _VIRSH = r"x[lm]\s", r"virsh\s"
_CLOUDSTACK = r"[irsv](?:-\d+){1,2}-VM"
"""Guests of users, virtual routers, storage and console machines."""


def _mark(step: Step, verb: str, pattern: str, sought: str = "") -> Mark:
    return Mark(step, verb, re.compile(pattern, re.MULTILINE | re.ASCII), sought or pattern)


MARKS: tuple[Mark, ...] = (
    # typed commands
    _mark(
        "begin",
        "create",
        rf"{_TOOL}x[lm]\s+{_OPTIONS}create\s+{_OPTIONS}(?P<config>[^\s'\"=-][^\s'\"=]*)(?=[\s'\"]|$)"
        rf"(?:[^\n]{{0,200}}?[\s'\"]name=[\\\\'\"]{{0,3}}(?P<target>{_NAME}))?",
        _XL,
    ),
    _mark(
        "begin",
        "create",
        r"[\"'](?:/\S+/)?x[lm][\"'], ?[\"']create[\"'],(?: ?[\"']-[^\"'\n]*[\"'],)*"
        r" ?[\"'](?P<config>[^\"'\s=]+)[\"']",
    ),
    _mark(
        "begin",
        "",
        rf"{_TOOL}x[lm]\s+{_OPTIONS}(?P<verb>start|restore|save|migrate|destroy|shutdown|reboot|pause|unpause|resume"
        r"|suspend|(?:block|network|pci|usb|usbctrl|usbdev|channel|vtpm)-(?:attach|detach)|mem-set|mem-max|vcpu-set"
        r"|vcpu-pin|rename|sysrq|dump-core|trigger|console|cd-insert|cd-eject|delete)\s+"
        rf"{_OPTIONS}(?P<target>{_NAME})(?=\s|$)",
        _XL,
    ),
    _mark("begin", "restore", rf"{_TOOL}x[lm]\s+{_OPTIONS}restore\s+{_OPTIONS}[\w.+:-]*/"),
    _mark(
        "begin",
        "",
        rf"{_TOOL}virsh\s+{_CONNECT}{_OPTIONS}(?P<verb>start|destroy|shutdown|reboot|migrate|save|restore|suspend"
        r"|resume|undefine|console|attach-(?:device|disk|interface)|detach-(?:device|disk|interface))\s+"
        rf"{_OPTIONS}(?P<target>{_NAME})(?=\s|$)",
        _VIRSH,
    ),
    _mark(
        "begin",
        "create",
        rf"{_TOOL}virsh\s+{_CONNECT}create\s+{_OPTIONS}(?P<config>\S+?\.xml)(?=\s|$)",
        _VIRSH,
    ),
    _mark("begin", "console", rf"^Connected to domain {_QUOTE}(?P<target>{_NAME}){_QUOTE}$", r"Connected to domain "),
    _mark("begin", "create", rf"\bvirt-install\b.{{0,300}}?\s(?:-n|--name)[ =](?P<target>{_NAME})"),
    _mark("begin", "", rf"{_TOOL}qvm-(?P<verb>start|shutdown|kill|pause|unpause|run)\s+{_OPTIONS}(?P<target>{_NAME})"),
    _mark(
        "begin",
        "",
        rf"{_TOOL}qvm-(?:block|usb|pci|device\s+\w+)\s+{_OPTIONS}(?P<verb>attach|detach)\s+{_OPTIONS}(?P<target>{_NAME})"
        r"(?=\s|$)",
    ),
    _mark("begin", "attach", rf"{_TOOL}qvm-block\s+-(?:a|-attach)\s+{_OPTIONS}(?P<target>{_NAME})(?=\s|$)"),
    _mark("begin", "detach", rf"{_TOOL}qvm-block\s+-(?:d|-detach)\s+{_OPTIONS}(?P<target>{_NAME})(?=\s|$)"),
    _mark("told", "start", rf"{_TOOL}qvm-start,\s+(?P<target>{_NAME})\s+failed"),
    _mark(
        "begin",
        "",
        rf"{_TOOL}xe\s+vm-(?P<verb>start|shutdown|reboot|suspend|resume|migrate|destroy)\s+"
        rf".{{0,200}}?\b(?:vm|name-label|uuid)={_QUOTE}(?P<target>{_NAME})",
    ),
    _mark(
        "begin",
        "",
        rf"{_TOOL}gnt-instance\s+(?P<verb>start|startup|add|migrate|failover|shutdown|reboot|reinstall|import|recreate-disks"
        rf"|activate-disks|console)\s[^\n]{{0,300}}?(?<=\s)(?P<target>{_NAME})(?=\s*$)",
        r"gnt-instance\s",
    ),
    # what the toolstacks say when they begin
    _mark("begin", "create", r"Parsing config (?:from|file) (?P<config>\S+)"),
    _mark("begin", "create", rf"Using config file {_QUOTE}(?P<config>[^\s\"'`]+)"),
    _mark("begin", "create", rf"XendDomainInfo\.create\(.{{0,60}}?\['name', '(?P<target>{_NAME})'\]"),
    _mark("begin", "create", rf"XendDomainInfo\.create_from_dict\(.{{0,4000}}?'name_label': '(?P<target>{_NAME})'"),
    _mark("begin", "create", rf"Domain start: .{{0,4000}}?\"name\": ?\"(?P<target>{_NAME})\""),
    _mark("begin", "restore", r"\[xc_restore\]: \S+ \d+ (?P<domid>\d+) "),
    _mark("begin", "save", r"\[xc_save\]: \S+ \d+ (?P<domid>\d+) "),
    # xend does not say which guest gets a device, but it writes that down before it waits for the scripts
    _mark(
        "about",
        "attach",
        rf"DevController: writing \{{[^\n]{{0,2000}}?'domain': '(?P<target>{_NAME})'[^\n]{{0,2000}}?"
        r"\} to /local/domain/\d+/backend/\w+/(?P<domid>\d+)/",
    ),
    _mark("about", "create", r"hotplugStatusCallback\d? /local/domain/\d+/backend/\w+/(?P<domid>\d+)/"),
    # wrappers: what they call the guest, when they begin and after they failed
    _mark("begin", "start", rf"Starting instance (?P<target>{_NAME})"),
    _mark("begin", "start", rf"\b[Ss]tarting (?:the )?(?:domain|VM|qube) {_QUOTE}(?P<target>{_NAME})"),
    _mark("begin", "start", rf"\bvm\.(?P<target>{_NAME}): Starting\b"),
    _mark("begin", "migrate", rf"\bMigrating VM {_QUOTE}(?P<target>{_NAME})"),
    _mark("told", "start", rf"(?:Could not start|Failed to start) instance (?P<target>{_NAME})"),
    _mark("told", "create", rf"Error (?:starting|creating) domain:? {_QUOTE}(?P<target>(?!internal){_NAME}){_QUOTE}$"),
    _mark("told", "start", rf"(?:Failed to start|Start failed for) (?:domain|VM) {_QUOTE}(?P<target>{_NAME})"),
    _mark("told", "start", rf"\bvm\.(?P<target>{_NAME}): Start failed\b"),
    _mark("told", "start", rf"\b(?:Domain|Qube|VM) {_QUOTE}(?P<target>{_NAME}){_QUOTE} has failed to start\b"),
    _mark("told", "start", rf"\bCannot connect to {_QUOTE}(?P<target>{_NAME}){_QUOTE} qrexec agent\b"),
    _mark("told", "start", rf"\bqubes-vm@(?P<target>{_NAME})\.service\b.{{0,40}}\bfailed\b"),
    _mark(
        "begin", "start", r"\bVM\.start(?:_on)? .{0,200}?VM = '?(?P<uuid>[0-9a-f-]{36})'? \((?P<target>[\w.:+@-]+)\)"
    ),
    _mark("begin", "create", rf"{_TOOL}xen-create-image\b.{{0,400}}?\s--hostname[ =]{_QUOTE}(?P<target>{_NAME})"),
    _mark("begin", "create", rf"^Hostname +: +(?P<target>{_NAME})$"),
    _mark("begin", "create", rf"(?:Creating VM|Generated VM configuration for) (?P<target>{_NAME})"),
    _mark("told", "create", rf"libxenlight failed to (?:create new|start) domain {_QUOTE}(?P<target>{_NAME})"),
    _mark("told", "create", rf"Failed to launch VM (?P<target>{_NAME})"),
    _mark("begin", "start", r"Generating deployment file: (?P<config>\S+/\d+/(?:images/)?deployment\.\d+)"),
    _mark("begin", "start", r"/vmm/xen\w*/deploy '?(?P<config>\S+?/\d+/(?:images/)?deployment\.\d+)"),
    _mark("told", "start", r"Could not create domain from (?P<config>\S+/\d+/(?:images/)?deployment\.\d+)"),
    _mark("begin", "start", r"\bDEPLOY (?:FAILURE|SUCCESS) (?P<one>\d+)\b|\bDEPLOY (?P<one_begun>\d+) "),
    _mark("begin", "migrate", r"\bMIGRATE (?:FAILURE|SUCCESS) (?P<one>\d+)\b"),
    _mark(
        "begin",
        "start",
        rf"(?:[Ss]tart(?:ing|Command)?\b|[Dd]eployment for|[Dd]eploying)[^\n]{{0,160}}?\b(?P<target>{_CLOUDSTACK})\b",
        r"\d-VM",
    ),
    _mark(
        "begin", "", r"\b(?P<verb>start|create|migrate|save|restore)_vm\('?[0-9a-f]{32}'?, '(?P<target>[0-9a-f]{32})'"
    ),
    _mark("begin", "create", rf"^[\w=> .:-]{{0,40}}-- Name: +(?P<target>{_NAME})$"),
    _mark("config", "", rf"^[ \t>]*name\s*=\s*[\"'](?P<target>{_NAME})[\"'](?=\s|$)", r"name\s*=\s*[\"']"),
    # libxc and xl, which know the domid
    _mark("begin", "save", r"\bSaving domain (?P<domid>\d+), type "),
    _mark("begin", "shutdown", r"^Shutting down domain (?P<domid>\d+)$"),
    _mark("begin", "reboot", r"^Rebooting domain (?P<domid>\d+)$"),
    # the operation is over: the guest runs, or is gone
    _mark("running", "create", rf"Waiting for domain (?P<target>{_NAME}) \(domid (?P<domid>\d+)\) to die"),
    _mark("running", "create", rf"Domain (?P<target>{_NAME}) \((?P<domid>\d+)\) (?:unpaused|started)"),
    _mark("running", "create", rf"Started domain (?P<target>{_NAME})(?: \(id=(?P<domid>\d+)\))?"),
    _mark("end", "shutdown", r"Domain (?P<domid>\d+) has shut down, reason code"),
    _mark("end", "shutdown", r"Domain has (?:crashed|shutdown): name=(?P<target>[^\s=]+) id=(?P<domid>\d+)"),
)

_SUFFIX = re.compile(r"\.(?:cfg|conf(?:ig)?|hvm|pvh?|xl|xm|xen|xml|sxp|py|txt|yaml|json)(?:\.txt)?$")
_HOSTS_OWN = ("0", "Domain-0")
_PLAIN = re.compile(rf"(?!-){_NAME}\Z", re.ASCII)


_ORACLE_FILE = re.compile(r"/(?:VirtualMachines|running_pool|seed_pool)/([^/]+)/vm\.cfg$")
"""Oracle VM keeps each guest in a folder of its name."""
_OPENNEBULA_FILE = re.compile(r"/(\d+)/(?:images/)?deployment\.\d+$")
_TEMPORARY = re.compile(r"^/(?:var/)?tmp/(?:tmp\w{6,}|tmp\.\w+)$")


@lru_cache(maxsize=1024)  # asked several times for each mark
def name_of_config(path: str) -> str | None:
    """The guest that a configuration file is named after; None where the name says nothing."""
    if numbered := _OPENNEBULA_FILE.search(path):
        return f"one-{numbered[1]}"
    if _TEMPORARY.match(path) or path.startswith("/dev/"):
        return None
    if kept := _ORACLE_FILE.search(path):
        return kept[1]
    base = _SUFFIX.sub("", path.rsplit("/", 1)[-1].rstrip(".,;:"))
    return base if _PLAIN.match(base) and base not in {"config", "cfg", "domain", "guest", "xen", "vm"} else None


_COMMAND = re.compile(r"(?:x[lm]|libxl-save-helper|virsh|virt-install)\[\d+\](?=: )")


def command_of(source: Source, text: str) -> str:
    """In a log that many write to: the process that wrote the record, `xl[2053]`, if it does one thing and ends.

    Its lines are one story, as those of a log of its own; a daemon's are not, and of it the answer is empty.
    """
    found = _COMMAND.match(text) if source.format.shared else None
    return found[0] if found else ""


class Place(NamedTuple):
    """Where a record stands: its log, its offset there, whether it carries its own time, and what says its host."""

    source: Source
    offset: int
    logged: bool
    origin: Origin = Origin()
    command: str = ""
    """See `command_of`."""


def story_in(path: str, command: str) -> str:
    """The name of what one command, or all of them, wrote to a log."""
    return f"{path}\t{command}" if command else path


class PlacedMark(NamedTuple):
    """A mark with the place and time of its record."""

    mark: Mark
    fields: Mapping[str, str]
    place: Place
    at: float

    @property
    def target(self) -> str | None:
        """The guest; None where none is named, as in `xl pci-attach 0 …`, which is about the host."""
        config, one = self.fields.get("config"), self.fields.get("one") or self.fields.get("one_begun")
        if one is not None:
            return f"one-{one}"
        name = self.fields.get("target") or (name_of_config(config) if config else None)
        return None if name in _HOSTS_OWN else name

    @property
    def is_named_by_file(self) -> bool:
        """Whether the name is that of a configuration's file, and nothing that the toolstack said."""
        return "config" in self.fields and not self.fields.get("target")

    def called(self, configured: Mapping[str, str]) -> "PlacedMark":
        """The same with the name that the guest has in the configuration file: by what the file is called."""
        name = configured.get(self.target or "") if self.is_named_by_file else None
        return self if name is None else self._replace(fields={**self.fields, "target": name})

    @property
    def verb(self) -> str:
        return self.mark.verb or self.fields.get("verb", "")

    @property
    def domid(self) -> int | None:
        return int(self.fields["domid"]) if "domid" in self.fields else None

    @property
    def path(self) -> str:
        return self.place.source.path

    @property
    def story(self) -> str:
        """What is told as one: a log, or what one command wrote to a log of many."""
        return story_in(self.place.source.path, self.place.command)

    @property
    def offset(self) -> int:
        return self.place.offset

    @property
    def host(self) -> str | None:
        return self.place.origin.host
