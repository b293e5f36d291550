"""Takes away what people put around a log when they pass it on: quotation marks, line numbers, indentation, CR.

The text then reads like the log itself, line for line: no line is taken away or joined.
"""

from collections.abc import Callable, Iterator

from xenwatch.base import lazy_re as re
from xenwatch.base.quoting import unquoted

_ROUNDS = 3
"""A numbered log is quoted, and the answer is indented; nobody does more."""
_LONGEST_MARK = 240
_FEW = 3
"""Fewer lines than this are judged only where they are the whole text."""
_INDENTED_BLOCK = 2

_NUMBER = re.compile(
    rb"(?:(?P<file>(?:[\w./+@-]*/)?[\w.+@-]*(?:log|txt|out|messages|dmesg|console)(?:[.-]\d+)?)[:-]|[ \t]*)"
    rb"(?P<number>\d{1,7})(?P<mark>[:|]|\t|-|\.(?=[ \t]))(?!\d\d(?::\d\d|\b))(?P<gap>[ \t]?)"
)
"""`12: `, `12:`, `12. `, `  12<TAB>` of `cat -n`, `xend.log:12:` and `xend.log-13-` of grep; no time of day, and no
place in a program or a configuration, such as `web.cfg:12: `."""
_FILE = re.compile(rb"(?P<file>(?:\.{0,2}/[\w./+@-]+|[\w+@-][\w.+@-]*\.(?:log|txt|out)(?:\.\d+)?)):")
"""What grep writes in front where it reads several files; programs put a blank behind their names."""
_INTERFACE = re.compile(rb" ?(?:lo\b|[\w.@-]+: <[A-Z,_-]+> mtu)")
"""`ip link` numbers what it lists, and there the number is its own."""

Lines = list[bytes]


def as_written(text: bytes) -> bytes:
    """The text as the program wrote it; the very same object where nothing was put around it."""
    if b"\r\n" in text:
        text = text.replace(b"\r\n", b"\n")
    for _ in range(_ROUNDS):
        plain = _without(_dedented, _without(_unnumbered, unquoted(text)))
        if plain == text:
            return text
        text = plain
    return text


def _without(step: Callable[[Lines], bool], text: bytes) -> bytes:
    lines = text.split(b"\n")
    return b"\n".join(lines) if step(lines) else text


def _unnumbered(lines: Lines) -> bool:
    """Numbers that grow from line to line, and the names of files that grep puts in front."""
    found = [_NUMBER.match(line[:_LONGEST_MARK]) for line in lines]
    changed = False
    for start, end in _runs([mark is not None or not line.strip() for mark, line in zip(found, lines, strict=True)]):
        marks = [(at, mark) for at in range(start, end) if (mark := found[at]) is not None]
        if _are_numbers(lines, marks) and (len(marks) >= _FEW or _is_of_cat(lines, start, end, marks)):
            changed = True
            spaced = all(mark["gap"] or not lines[at][mark.end() :].strip() for at, mark in marks)
            for at, mark in marks:
                lines[at] = lines[at][mark.end() if spaced else mark.end("mark") :]
    return _unnamed(lines) or changed


def _are_numbers(lines: Lines, marks: list[tuple[int, re.Match[bytes]]]) -> bool:
    """Whether these are numbers of lines: they grow, in each file from its start, and something stands behind them."""
    if all(mark["mark"] == b"-" for _, mark in marks):
        return False  # a date; grep marks at least one line with a colon
    if any(_INTERFACE.match(lines[at], mark.end("mark")) for at, mark in marks):
        return False
    known: dict[bytes, int] = {}
    for _, mark in marks:
        file, number = mark["file"] or b"", int(mark["number"])
        if number != 1 and number <= known.get(file, 0):
            return False
        known[file] = number
    return any(lines[at][mark.end() :].strip() for at, mark in marks)


def _is_of_cat(lines: Lines, start: int, end: int, marks: list[tuple[int, re.Match[bytes]]]) -> bool:
    """A short text is numbered only beyond doubt: `1: State change failed` is a message of its own."""
    sure = all(mark["mark"] == b"\t" or (mark["file"] and not mark["gap"]) for _, mark in marks)
    return sure and _is_whole(lines, start, end)


def _unnamed(lines: Lines) -> bool:
    names = [_FILE.match(line[:_LONGEST_MARK]) for line in lines]
    close = sum(
        name is not None and not line[name.end() :][:1].isspace() for name, line in zip(names, lines, strict=True)
    )
    written = sum(bool(line.strip()) for line in lines)
    if close < _FEW or sum(map(bool, names)) * 5 < written * 4 or close * 2 < written:
        return False
    for at, name in enumerate(names):
        if name is not None:
            lines[at] = lines[at][name.end() :]
    return True


def _dedented(lines: Lines) -> bool:
    """Blocks behind an empty line: what continues a record stands right below it."""
    changed = False
    written = _written(lines)
    for start, end in _runs([not line.strip() or line[:1] in (b" ", b"\t") for line in lines]):
        first = _behind_the_rest(lines, start, end)
        least = min((len(line) - len(line.lstrip(b" \t")) for line in lines[first:end] if line.strip()), default=0)
        if least >= (1 if first <= written[0] and written[1] <= end else _INDENTED_BLOCK):
            changed = True
            lines[first:end] = [line[least:] for line in lines[first:end]]
    return changed


def _behind_the_rest(lines: Lines, start: int, end: int) -> int:
    """Where the block begins, behind what is still the rest of a record that began further left."""
    return next((at for at in range(start, end) if not at or not lines[at - 1].strip() or not lines[at].strip()), end)


def _runs(held: list[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for at, inside in enumerate([*held, False]):
        if inside and start is None:
            start = at
        elif not inside and start is not None:
            yield start, at
            start = None


def _is_whole(lines: Lines, start: int, end: int) -> bool:
    first, last = _written(lines)
    return start <= first and last <= end


def _written(lines: Lines) -> tuple[int, int]:
    """Where the first line with anything in it stands, and behind the last one."""
    first = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    last = next((at for at in range(len(lines), first, -1) if lines[at - 1].strip()), 0)
    return first, last
