"""Takes away the marks with which mail programs quote, so that a log in an answer reads like the log itself."""

from xenwatch.base import lazy_re as re

_MARKS = re.compile(rb"^(?:[ \t]{0,3}>)+[ \t]?", re.MULTILINE)
_LINES = re.compile(rb"^[^\n]*[^\s>][^\n]*$", re.MULTILINE)


def unquoted(text: bytes) -> bytes:
    """The text without `> > ` in front of its lines, where most of its lines are quoted; line for line the same.

    A log in which a line happens to start with `>` stays as it is.
    """
    if b">" not in text:
        return text
    quoted = sum(_MARKS.match(line.group()) is not None for line in _LINES.finditer(text))
    lines = sum(1 for _ in _LINES.finditer(text))
    return _MARKS.sub(b"", text) if quoted * 2 > lines else text
