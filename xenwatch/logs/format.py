"""Recognises the format of a log: by its name, else by its content."""

from dataclasses import dataclass
from functools import cache, lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.base.registry import load_parts
from xenwatch.base.retyped import as_written
from xenwatch.logs import formats
from xenwatch.logs.rotated_name import NAME_BEGINS
from xenwatch.model.record import LogFormat

HEAD = 64 * 1024
"""Bytes from the start of a file that are examined."""

LAST_RESORT = "stderr"
_TERMINAL = re.compile(rb"^(?:[Ee]rror: |libxl: |[\w.@-]+[:~][^\n]{0,60}[#$] )", re.MULTILINE)
_TYPED = re.compile(
    rb"^(?:[^\n]{0,80}[#$%>] ?)?(?:sudo )?(?:x[lm]|virsh)(?: -\S+)* (?:create|start|restore|console)\b"
    rb"|^Parsing config (?:file|from) |^Using config file ",
    re.MULTILINE,
)
"""What no kernel's log holds: it is a terminal on which a guest was started, and on which its kernel then wrote."""
_TYPED_FIRST = re.compile(
    rb"\s*(?:[^\n]{0,80}[#$%>] ?)?(?:sudo )?(?:x[lm]|virsh|qvm-\w+)(?: -\S+)* (?:create|start|restore|console)\b"
    rb"|\s*(?:Parsing config (?:file|from) |Using config file )"
)
"""What a console of no telling name begins with if it is such a terminal: the command that started the guest."""
_WRITTEN = re.compile(rb"^.*\S.*\n", re.MULTILINE)
_TEXT_BYTES = bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100)) + b"\n\r\t\x1b\x08\x07\x0c"
_MOST_CONTROL_CHARACTERS = 0.03
"""Of random bytes a tenth are control characters no log has."""
_MAGIC = re.compile(
    rb"\x7fELF|\x89PNG|\xff\xd8\xff"
    rb"|SQLite format 3|%PDF|\xca\xfe|LKST|LPKSHHRH|KDUMP|MZ\x90|PK\x03\x04|QFI\xfb"
    rb"|conectix"
)
_ANY_CONSOLE = re.compile(
    r"(?:^|(?<!/console)/)(?:(?:serial|host|xen|hypervisor|ipmi|sol)?[-_]?console|serial|ttyS\d|ipmi|sol)"
    r"(?:[-_.]\d+)?\.(?:log|txt|out)$"
)
"""What people call a captured console; the folder `console` holds xenconsoled's own."""
_MACHINES_LINE = re.compile(
    r"(?:^|(?<!/console)/)(?:(?:serial|host|xen|hypervisor|ipmi|sol)[-_]?console|serial|ttyS\d|ipmi|sol)[^/]*$"
)
"""Of these, the ones that are wires of the machine: the hypervisor and domain 0 write there."""
_GUESTS = re.compile(
    rb"^(?:\[[-\d: ]{19}\] )?(?:Logfile Opened|(?:\[ *\d+\.\d+\] )?(?:Hypervisor detected: Xen (?:HVM|PVH)"
    rb"|Booting paravirtualized kernel on Xen (?:HVM|PVH)|DMI: Xen HVM domU|[^\n]*Hardware name: Xen HVM domU"
    rb"|xvd[a-z]\d*: |[^\n]*\broot=/dev/xvd))",
    re.MULTILINE,
)
"""What shows that a guest alone writes there all the same: its serial port, saved under the same name."""

_MACHINES_KERNEL = re.compile(
    rb"^[^\n]{0,80}?(?:Pid: \d+, comm: \S+ (?:Not tainted|Tainted: [A-Z ]+) \S+ #\S+ +(?!Xen)[A-Z]"
    rb"|(?:DMI|Hardware name): (?!Xen|Amazon|/)\S)",
    re.MULTILINE,
)
"""A kernel that names the machine it runs on: domain 0 on the machine's wire, such as an out-of-band log."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Either a format and how it was recognised, or None and why this is not a log."""

    format: LogFormat | None
    reason: str
    """`name`, `content`, `text`; or, without a format, `binary` or `empty`, for people."""


_PLAIN = re.compile(r"(?:[\w/-]|\\\.)*", re.ASCII)
"""Letters that stand for themselves in a pattern."""


@cache
def all_formats() -> dict[str, LogFormat]:
    """Every format by its name, in the order in which they are tried."""
    declared = load_parts(formats, "FORMAT", LogFormat).values()
    return {part.name: part for part in sorted(declared, key=lambda part: (part.rank, part.name))}


def recognise(path: str, head: bytes) -> Recognised:
    """`head` is the start of the file; only HEAD bytes of it are examined. Never raises."""
    head = head[:HEAD]
    if not head:
        format_ = by_name(path)
        return Recognised(format_, "name") if format_ else Recognised(None, "empty")
    if _is_binary(head):
        return Recognised(None, "binary")
    if format_ := by_name(path):
        if opened := _by_what_it_holds(path, head):
            return Recognised(opened, "content")
        return Recognised(_kernel_or_console(format_, head), "name")
    if format_ := by_content(as_written(head)):
        return Recognised(format_, "content")
    return Recognised(all_formats()[LAST_RESORT], "text")


@lru_cache(maxsize=1024)
def by_name(path: str) -> LogFormat | None:
    """The format of files with such a name; of several, the one with the lowest rank."""
    return next((part for part in all_formats().values() if any(_names(name, path) for name in part.names)), None)


def _names(name: re.Pattern[str], path: str) -> bool:
    """Whether the path matches. A start compiles a few of the sixty patterns: the others ask for another word."""
    return _beginning(name.pattern) in path and name.search(path) is not None


@cache
def _beginning(pattern: str) -> str:
    """The letters that all names begin with that it matches; empty where that is not plain to see."""
    stem = pattern.removeprefix(NAME_BEGINS)
    if stem == pattern or _has_alternatives(stem):
        return ""
    plain = _PLAIN.match(stem)
    word = plain[0] if plain is not None else ""
    if stem[len(word) : len(word) + 1] in ("?", "*", "{"):  # its last letter may be missing
        word = word.removesuffix("\\.") if word.endswith("\\.") else word[:-1]
    return word.replace("\\.", ".")


def _has_alternatives(stem: str) -> bool:
    """Whether the group that is open at its start has more than one."""
    depth = 1
    for char in stem:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0 or (char == "|" and depth == 1):
            return depth == 1
    return False


def _by_what_it_holds(path: str, head: bytes) -> LogFormat | None:
    """The format of the machine's own serial line, where the name says no more than that it is a console's.

    A file that xenconsoled keeps is named after its guest and is that guest's, whatever the guest prints.
    """
    if not _ANY_CONSOLE.search(path):
        return None
    text = as_written(head)
    if _TYPED_FIRST.match(text) and not _MACHINES_LINE.search(path):
        return all_formats()[LAST_RESORT]
    of_machines = [part for part in all_formats().values() if part.opening is not None]
    of_guest = _GUESTS.search(text) is not None
    if _MACHINES_LINE.search(path) and not of_guest:
        return next(iter(of_machines), None)
    opened = next((part for part in of_machines if part.opening is not None and part.opening.match(text)), None)
    if opened is None and not of_guest and _MACHINES_KERNEL.search(text):
        return all_formats()["kernel"]
    return opened


def _kernel_or_console(format_: LogFormat, head: bytes) -> LogFormat:
    """A kernel's log is a guest's where xenconsoled stamped most of its lines: no kernel writes such a stamp."""
    if format_.name != "kernel":
        return format_
    console = all_formats()["console"]
    stamped_lines = _matching_lines(console, as_written(head))
    return console if 2 * stamped_lines > len(_WRITTEN.findall(head)) else format_


def by_content(head: bytes) -> LogFormat | None:
    """The format that matches most lines; of equals the one with the lowest rank."""
    best, most = None, 0
    for part in all_formats().values():
        lines = _matching_lines(part, head)
        if part.guest_prompts and _TERMINAL.search(head):
            continue  # a terminal shows what a device model or a boot loader says among other things
        if part.name == "kernel" and _TYPED.search(head):
            continue
        if lines > most:
            best, most = part, lines
    return best


def _matching_lines(part: LogFormat, head: bytes) -> int:
    if part.sniff is None:
        return 0
    return sum(1 + max(0, match.group().count(b"\n") - 1) for match in part.sniff.finditer(head))


def _is_binary(head: bytes) -> bool:
    """NUL bytes alone do not make a log binary: a crash leaves runs of them, and copytruncate does."""
    if _MAGIC.match(head):
        return True
    content = head.replace(b"\0", b"")
    if not content:
        return True
    return len(content.translate(None, _TEXT_BYTES)) > len(content) * _MOST_CONTROL_CHARACTERS
