"""Undoes what a mail program or a terminal did to long lines: a text that was wrapped at one width gets them back.

Only a text that was wrapped as a whole: no line is longer than a terminal is wide, and many end where the next word
would not have fitted. The newlines that are taken out are put back where the next line is empty, so that what follows
stays at its number.
"""

from functools import cache

from xenwatch.base import lazy_re as re
from xenwatch.logs.format import all_formats

NARROWEST, WIDEST = 60, 80
"""Columns at which people wrap."""
_NEARLY_FULL = 12
"""Columns from the longest line on."""
_SHARE = 0.4
"""Broken lines for each line that is nearly full: where lines end by themselves, hardly one of these is broken."""

_BEGINNING = re.compile(
    rb"\((?:XEN|xen|d\d+|VMM|Domain)\b|\[ *\d+[.\]]|\[\d{4}-|<\d+>|</?\w|[#$*=~-]+ |--|\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:|[\w.@-]+[:>][^\n]{0,40}[#$] |\w+: \w+: |[A-Z][\w -]{0,30}: "
    rb"|(?:Error|Failed|Traceback|Parsing|Using) |File \"|libxl|xc: |qemu|xl: |virsh |x[lm] "
)
"""How a line begins that is no rest of another one, in logs and on terminals."""
_REST = re.compile(rb"[a-z(][^:=\n]*\Z")
"""What is a rest even where it is the only one in the text."""
_COMMAND = re.compile(rb"[\w.@-]+[:>][^\n]{0,40}[#$] ")
_COLUMNS = re.compile(rb"\S {3,}(?=\S)")


def unwrapped(text: bytes) -> bytes:
    """The text with its long lines; the very same object where it was not wrapped."""
    lines = text.split(b"\n")
    width = _width(lines)
    if width is None:
        return text
    broken = [_is_rest(lines[at - 1], lines[at], width) for at in range(1, len(lines))]
    return _joined(lines, broken) if _is_wrapped(lines, broken, width) else text


def _width(lines: list[bytes]) -> int | None:
    """The longest line that could have been wrapped; None where that is nothing people wrap at."""
    longest = 0
    for line in lines:
        end = len(line.rstrip())
        if end > longest and b" " in line.strip():
            if end > WIDEST and line.rfind(b" ", 0, WIDEST + 1) > len(line) - len(line.lstrip()):
                return None
            longest = end if end <= WIDEST else longest
    return longest if longest >= NARROWEST else None


def _is_wrapped(lines: list[bytes], broken: list[bool], width: int) -> bool:
    rests = [line for line, is_rest in zip(lines[1:], broken, strict=True) if is_rest]
    full = sum(len(line.rstrip()) > width - _NEARLY_FULL for line in lines)
    if len(rests) == 1 and _REST.match(rests[0]) is None:
        return False
    return len(rests) > _SHARE * full


def _is_rest(before: bytes, line: bytes, width: int) -> bool:
    before, word = before.rstrip(), line.split(None, 1)[:1]
    # Most lines that are no rest are short, or follow a short one: what costs most is asked last.
    if not word or not before or line[:1].isspace() or len(before) + 1 + len(word[0]) <= width:
        return False
    if _COMMAND.match(before) and line[:1].isupper():  # what it prints
        return False
    return not _begins(line) and not _are_rows(before, line)


def _are_rows(before: bytes, line: bytes) -> bool:
    return min(len(_COLUMNS.findall(before)), len(_COLUMNS.findall(line))) > 1


def _begins(line: bytes) -> bool:
    return any(beginning.match(line) for beginning in _beginnings())


@cache
def _beginnings() -> tuple[re.Pattern[bytes], ...]:
    known = (start for part in all_formats().values() for start in (part.record_start, part.sniff) if start is not None)
    return (_BEGINNING, *known)


def _joined(lines: list[bytes], broken: list[bool]) -> bytes:
    whole: list[bytes] = []
    owed = 0
    for line, is_rest in zip(lines, [False, *broken], strict=True):
        if is_rest:
            whole[-1] = whole[-1].rstrip() + b" " + line
            owed += 1
            continue
        if not line.strip():
            whole += [b""] * owed
            owed = 0
        whole.append(line)
    return b"\n".join([*whole, *[b""] * owed])
