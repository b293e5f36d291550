"""Facts in a captured terminal: people paste `xm list` and `brctl show` between the commands that failed."""

from collections.abc import Iterator
from functools import lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.base.shell_prompt import PROMPT
from xenwatch.facts.reader import FactsReader
from xenwatch.facts.saved import READERS
from xenwatch.model.fact import Fact

LONGEST_TABLE = 400
"""Lines of one command's output that are looked at."""
_END = re.compile(rf"\s*$|{PROMPT}")
"""An empty line, or the prompt of a shell."""


def pasted_facts(text: str, at: float, origin: str) -> Iterator[Fact]:
    """Of each table with a heading that no other text has, such as `Name ID Mem VCPUs State Time(s)`.

    A table that cannot be read is passed over: the text is a log all the same.
    """
    lines, number = text.splitlines(), 0
    while number < len(lines):
        found = _read(lines, number, at, origin)
        # An empty list may only mean that the table was cut.
        yield from (fact for fact in found if fact.value != ())
        number = _end(lines, number) if found else number + 1


def _read(lines: list[str], first: int, at: float, origin: str) -> tuple[Fact, ...]:
    """The facts of the table with its heading there; none where there is no heading or the table cannot be read."""
    for reader in _headed(lines[first]):
        table = "\n".join(lines[first : _end(lines, first)]) + "\n"
        try:
            return tuple(reader.read(table, at, origin))
        except (ValueError, LookupError):  # cut by hand, or folded by a mail program
            continue
    return ()


@lru_cache(maxsize=1024)  # a log says the same again and again
def _headed(line: str) -> tuple[FactsReader, ...]:
    """What reads tables with that heading; mostly the line is none."""
    return tuple(reader for reader in READERS if reader.by_content and reader.content.match(line))


def _end(lines: list[str], first: int) -> int:
    """The line of the next prompt, or the next empty one."""
    last = first + 1
    while last < min(len(lines), first + LONGEST_TABLE) and not _END.match(lines[last]):
        last += 1
    return last
