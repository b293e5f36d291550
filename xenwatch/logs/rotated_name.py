"""What the name of a rotated log says: which log it belongs to, how old it is beside its like, how it is packed."""

from typing import NamedTuple

from xenwatch.base import lazy_re as re

_PACKED = r"\.(?P<packed>gz|bz2|xz|zst)"
_TURNED = r"\.(?P<number>\d{1,3})|[.-](?P<date>\d{8}(?:-?\d{2,10})?)|(?P<previous>\.old|~)"
"""xend and libxl number (`.1` is the latest), logrotate also dates, some scripts keep one previous file."""
_NAME = re.compile(rf"(?P<log>.+?)(?:{_TURNED})?(?:{_PACKED})?")
_BEFORE_EXTENSION = re.compile(
    r"(?P<stem>.*[^/])(?:[.-]\d{8}(?:-?\d{2,10})?|\.\d{1,3})(?P<extension>\.[A-Za-z]\w*)", re.DOTALL
)
_ANONYMOUS = re.compile(r"\?P<\w+>")

NAME_BEGINS = r"(?:^|/)(?:"
"""Pattern for what stands before a log's name in a path, and begins the name."""
ROTATED = _ANONYMOUS.sub("?:", rf"(?:{_TURNED})*(?:{_PACKED})?$")
"""Pattern for what a rotation leaves at the end of a log's name; for who asks how logs of one kind are called."""


class RotatedName(NamedTuple):
    """`xend.log.3.gz` and `xend.log` both belong to `xend.log`."""

    log: str
    age: tuple[int, str, int]
    """Sorts the files of one log, oldest first: those with a date, those with a number, the one without either."""
    packed: str = ""
    """`gz`, `bz2`, `xz`, `zst`, or empty."""
    number: int | None = None
    """3 for `xend.log.3`."""


def rotated_name(name: str) -> RotatedName:
    """Any file's name, without its folder; that of a log that was never rotated is its own."""
    found = _NAME.fullmatch(name)
    if found is None:
        return RotatedName(name, _NEWEST)
    number = int(found["number"]) if found["number"] else None
    return RotatedName(found["log"], _age(found, number), found["packed"] or "", number)


_NEWEST = (2, "", 0)


def _age(found: re.Match[str], number: int | None) -> tuple[int, str, int]:
    if found["date"]:
        return 0, found["date"], 0
    if number is not None:
        return 1, "", -number
    return (1, "", 0) if found["previous"] else _NEWEST


def name_before_extension(path: str) -> str | None:
    """The log that may be rotated to this path by logrotate's `extension`: `xl.log` for `xl-20260730.log`, `xl.1.log`.

    A guest may be called so, too: only the content can tell.
    """
    found = _BEFORE_EXTENSION.fullmatch(path)
    return found["stem"] + found["extension"] if found else None
