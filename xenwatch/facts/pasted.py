"""Facts in a captured terminal: people paste `xm list` and `brctl show` between the commands that failed."""

import re
from collections.abc import Iterator

from xenwatch.facts.saved import READERS
from xenwatch.model.fact import Fact

LONGEST_TABLE = 400
"""Lines of one command's output that are looked at."""
_END = re.compile(r"\s*$|\[?[\w.-]+@[\w.-]+[^\n]{0,80}[#$%>](?:\s|$)|[#$%] \S")
"""An empty line, or the prompt of a shell: `root@xen1:~#`, `[root@xen1 ~]$`, `# `."""


def pasted_facts(text: str, at: float, origin: str) -> Iterator[Fact]:
    """Of each table with a heading that no other text has, such as `Name ID Mem VCPUs State Time(s)`.

    A table that cannot be read is passed over: the text is a log all the same.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        for reader in READERS:
            if reader.by_content and reader.content.match(line):
                try:
                    found = tuple(reader.read(_table(lines, number), at, origin))
                except (ValueError, LookupError):  # cut by hand, or folded by a mail program
                    continue
                # An empty list may only mean that the table was cut.
                yield from (fact for fact in found if fact.value != ())


def _table(lines: list[str], first: int) -> str:
    """From the heading to the next prompt or empty line."""
    last = first + 1
    while last < min(len(lines), first + LONGEST_TABLE) and not _END.match(lines[last]):
        last += 1
    return "\n".join(lines[first:last]) + "\n"
