"""Steps as they are typed on this host: xm where xend runs, the guest's name filled in, open placeholders named."""

import shlex
from collections.abc import Iterable

from xenwatch.base import lazy_re as re
from xenwatch.base.printed_text import is_sentence
from xenwatch.model.subject import Subject

# the words that both programs know and answer alike (xm of Xen 3.0 to 4.4)
_XL = re.compile(
    r"(?<![\w/.-])xl(?= (?:list|info|dmesg|create|destroy|shutdown|reboot|pause|unpause|console|save|restore|migrate"
    r"|mem-set|mem-max|vcpu-list|vcpu-set|vcpu-pin|block-list|block-attach|block-detach|network-list|network-attach"
    r"|network-detach|pci-list|pci-attach|pci-detach|dump-core|domid|domname|rename|sysrq|uptime|top|trigger)\b)"
)
_FIELD = re.compile(r"<([a-z_][a-z0-9_]*)>")
_PLACEHOLDERS = (
    "BRIDGE BYTES CONFIG DISK DOMAIN FILE HOST IMAGE KERNEL LV MOUNTPOINT NAME NEW ORIGIN OTHER PARTITION PATH PBD"
    " PIF POOL QUBE RAMDISK SERVER SIZE SNAPSHOT SR TARGET UNIT VDI VERSION VG VIF VM"
)
_PLACEHOLDER = re.compile(rf"(?<![\w$,{{-])(?:{_PLACEHOLDERS.replace(' ', '|')})(?![\w,}}-])")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def typed(steps: Iterable[str], subject: Subject, *, old: bool) -> tuple[str, ...]:
    """The steps of an incident about `subject`, commands and sentences; `old` for a host that xend runs on."""
    return tuple(_typed(step, subject, old=old) for step in steps)


def _typed(step: str, subject: Subject, *, old: bool) -> str:
    step = _XL.sub("xm", step) if old else step
    if is_sentence(step):
        return step
    command, mark, note = step.partition("  # ")
    command = _FIELD.sub(lambda field: field[1].upper(), command)
    if subject.kind == "domain" and subject.is_named:
        command = re.sub(r"\bDOMAIN\b", shlex.quote(subject.name).replace("\\", r"\\"), command)
    placeholders = _placeholders(step, command)
    notes = [*([note] if mark else []), *([f"replace {', '.join(placeholders)}"] if placeholders else [])]
    return "  # ".join([command, "; ".join(notes)]) if notes else command


def _placeholders(step: str, command: str) -> list[str]:
    """Words in capitals that a person must replace: fields that were not captured, and those a rule leaves open."""
    fields = {field[1].upper() for field in _FIELD.finditer(step)}
    unquoted = _QUOTED.sub("", command)
    uncaptured = [word[0] for word in re.finditer(r"[A-Z][A-Z0-9_]*", command) if word[0] in fields]
    return list(dict.fromkeys([*uncaptured, *(word[0] for word in _PLACEHOLDER.finditer(unquoted))]))
