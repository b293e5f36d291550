"""Steps as they are typed on this host: xm where xend rules, the guest's name put in, what is left to put in named."""

import re
import shlex
from collections.abc import Iterable

from xenwatch.cli.report.format import is_sentence
from xenwatch.model.subject import Subject
from xenwatch.triage.report import Report

_OLD = frozenset({"xend", "xend-debug"})
_NEW = frozenset({"xl", "libxl"})
# the words that both programs know and answer alike (xm of Xen 3.0 to 4.4)
_XL = re.compile(
    r"(?<![\w/.-])xl(?= (?:list|info|dmesg|create|destroy|shutdown|reboot|pause|unpause|console|save|restore|migrate"
    r"|mem-set|mem-max|vcpu-list|vcpu-set|vcpu-pin|block-list|block-attach|block-detach|network-list|network-attach"
    r"|network-detach|pci-list|pci-attach|pci-detach|dump-core|domid|domname|rename|sysrq|uptime|top|trigger)\b)"
)
_UNKNOWN = re.compile(r"<([a-z_][a-z0-9_]*)>")
_WORDS = (
    "BRIDGE BYTES CONFIG DISK DOMAIN FILE HOST IMAGE KERNEL LV MOUNTPOINT NAME NEW ORIGIN OTHER PARTITION PATH PBD"
    " PIF POOL QUBE RAMDISK SERVER SIZE SNAPSHOT SR TARGET UNIT VDI VERSION VG VIF VM"
)
_PLACE = re.compile(rf"(?<![\w$,{{-])(?:{_WORDS.replace(' ', '|')})(?![\w,}}-])")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def typed(steps: Iterable[str], subject: Subject, *, old: bool) -> tuple[str, ...]:
    """The steps of an incident about `subject`, commands and sentences; `old` for a host that xend rules."""
    return tuple(_typed(step, subject, old=old) for step in steps)


def is_xends(report: Report) -> bool:
    """Whether xm is the tool there: xend wrote logs or xm answered, and nothing is from xl."""
    formats = {file.format for file in report.files}
    asked = {fact.split(" ", 1)[0] for fact in report.facts}
    return bool(formats & _OLD or "xm" in asked) and not (formats & _NEW or "xl" in asked)


def _typed(step: str, subject: Subject, *, old: bool) -> str:
    step = _XL.sub("xm", step) if old else step
    if is_sentence(step):
        return step
    command, mark, note = step.partition("  # ")
    command = _UNKNOWN.sub(lambda found: found[1].upper(), command)
    if subject.kind == "domain":
        command = re.sub(r"\bDOMAIN\b", shlex.quote(subject.name).replace("\\", r"\\"), command)
    wanted = _to_put_in(step, command)
    notes = [*([note] if mark else []), *([f"put in {', '.join(wanted)}"] if wanted else [])]
    return "  # ".join([command, "; ".join(notes)]) if notes else command


def _to_put_in(step: str, command: str) -> list[str]:
    """Words in capitals that stand for something: those nobody knew, and those a rule leaves to the person."""
    unknown = {found[1].upper() for found in _UNKNOWN.finditer(step)}
    bare = _QUOTED.sub("", command)
    places = [found[0] for found in re.finditer(r"[A-Z][A-Z0-9_]*", command) if found[0] in unknown]
    return list(dict.fromkeys([*places, *(found[0] for found in _PLACE.finditer(bare))]))
