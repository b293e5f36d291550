"""Small rules and formats that the tests of the diagnosis engine share."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.logs.formats.xl import FORMAT as XL
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, Header, LogFormat, Position, Source, TimeHint
from xenwatch.model.subject import Subject

_HEADER = re.compile(r"\[(\d+)\] (\w+) ")


def _parse(text: str, _hint: TimeHint) -> Header:
    found = _HEADER.match(text)
    return Header(float(found[1]), found[2].lower(), found.end()) if found else Header()


DATED = LogFormat(
    "xend",
    "a format with headers",
    record_start=re.compile(rb"\[\d+\] "),
    parse=_parse,
)
PLAIN = LogFormat("stderr", "captured output", carries_any=True)
RING = LogFormat("hypervisor", "the ring", guest_line=re.compile(rb"\(XEN\) \(d\d+\) "))
CONSOLE = LogFormat("console", "a guest's console", guest_written=True)

NEAR = 1_000.0


def rule_of(text: str, name: str = "a-rule") -> Rule:
    """A rule from its text; id, class, title and severity are given unless it says them."""
    given = {"id": name, "class": "a-class", "title": "A title", "severity": "error"}
    head = "".join(
        f"{key}: {value}\n" for key, value in given.items() if not re.search(rf"^{key}:", text, re.MULTILINE)
    )
    return parse_rule(head + text, Path(f"{name}.yaml"))


def signature_rule(regex: str, name: str = "a-rule", more: str = "", **keys: Any) -> Rule:
    """A rule with one signature; `keys` are further keys of the signature."""
    return rule_of(f"signatures: {json.dumps([{'regex': regex, **keys}])}\n{more}", name)


class Feeder:
    """Feeds text to a scanner, piece by piece, as a follower does."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self._offsets: dict[str, int] = {}

    def feed(
        self, text: str | bytes, fmt: LogFormat = DATED, *, path: str = "a.log", final: bool = False,
        subject: Subject | None = None, line: int = 0,
    ) -> list[Event]:  # fmt: skip
        data = text.encode() if isinstance(text, str) else text
        offset = self._offsets.get(path, 0)
        self._offsets[path] = offset + len(data)
        chunk = Chunk(Source(path, fmt, subject), data, Position("g", offset, line), TimeHint(NEAR), final)
        return self.scanner.feed(chunk)

    def end(self, path: str, generation: str, fmt: LogFormat = DATED) -> list[Event]:
        """Another file of the log will get no more lines."""
        return self.scanner.feed(Chunk(Source(path, fmt), b"", Position(generation, 99), TimeHint(NEAR), final=True))


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What the tests build their rules, formats and logs with."""

    def feeder(*rules: Rule, **kwargs: Any) -> Feeder:
        return Feeder(Scanner(rules, **kwargs))

    return SimpleNamespace(
        dated=DATED, plain=PLAIN, xl=XL, ring=RING, console=CONSOLE, near=NEAR, rule=rule_of, one=signature_rule,
        feeder=feeder,
    )  # fmt: skip
