"""Takes a paste of several logs apart: what followed on `cat xend.log`, `xl dmesg` or `==> xend.log <==`."""

import shlex
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from xenwatch.base import lazy_re as re
from xenwatch.base.shell_prompt import PROMPT

MOST_SECTIONS = 200

_PROMPT = re.compile(rf"^{PROMPT}".encode(), re.MULTILINE)
_HEADING = re.compile(
    rb"^(?:==> ?(?P<tail>[^\n]{1,200}?) ?<==|[-=*#]{2,} ?(?P<ruled>[\w./ -]{3,120}?) ?[-=*#:]{2,}"
    rb"|(?P<plain>/?[\w.+-]+(?:/[\w.+-]+)*\.(?:log|txt|out)(?:\.\d)?):)[ \t]*$",
    re.MULTILINE,
)
_READERS = ("cat", "tail", "head", "less", "more", "view", "zcat", "zless", "bzcat", "xzcat", "grep", "egrep", "zgrep")
_BEFORE = ("sudo", "doas", "time")
_ITS_OPTION_HAS_A_VALUE = ("-n", "-c", "-e", "-A", "-B", "-C")


class Section(NamedTuple):
    """What one command or heading introduces, called after the log or the command that it shows."""

    name: str
    text: bytes


def sections(
    text: bytes, is_log: Callable[[str, bytes], bool], has_facts: Callable[[str, bytes], bool]
) -> tuple[list[Section], bytes]:
    """The logs and the outputs of commands in a paste; and the paste without the logs, line for line the same.

    `is_log` and `has_facts` judge names with their texts. What a command said is what was seen on the terminal, too.
    """
    found: list[Section] = []
    rest: list[bytes] = []
    kept = 0
    for (_, start, name), (end, _, _) in _spans(text):
        part = text[start:end]
        if not (name and part.strip()) or len(found) >= MOST_SECTIONS:
            continue
        log = is_log(name, part)
        if log or has_facts(name, part):
            found.append(Section(name, part))
        if log:
            rest += [text[kept:start], b"\n" * part.count(b"\n")]
            kept = end
    return found, b"".join([*rest, text[kept:]]) if found else text


_Mark = tuple[int, int, str]
"""Where a line that introduces something begins and ends, and what it introduces; empty: nothing we know."""


def _spans(text: bytes) -> list[tuple[_Mark, _Mark]]:
    marks: list[_Mark] = [(m.start(), m.end() + 1, _shown(m["command"] or b"")) for m in _PROMPT.finditer(text)]
    for heading in _HEADING.finditer(text):
        name = next(group for group in heading.groups() if group is not None)
        marks.append((heading.start(), heading.end() + 1, name.decode("utf-8", "replace").strip()))
    marks.sort()
    return list(zip(marks, [*marks[1:], (len(text), len(text), "")], strict=True)) if marks else []


@lru_cache(maxsize=1024)  # the same command is typed again and again
def _shown(command: bytes) -> str:
    """The file that a command prints, or the command itself without its options; empty where it is neither."""
    first = re.split(r"[|;&>]", command.decode("utf-8", "replace"), maxsplit=1)[0]
    try:
        words = [word for word in shlex.split(first) if word not in _BEFORE]
    except ValueError:
        return ""
    if not words or words[0].rpartition("/")[2] not in _READERS:
        return "_".join(word for word in words if not word.startswith("-"))
    values = {at + 1 for at, word in enumerate(words) if word in _ITS_OPTION_HAS_A_VALUE}
    files = [word for at, word in enumerate(words[1:], 1) if not word.startswith("-") and at not in values]
    return files[-1] if files else ""
