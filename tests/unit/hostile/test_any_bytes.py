"""Whatever bytes a log holds: nothing raises, no report carries an escape, and how it was cut changes nothing."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from xenwatch.base.errors import InputError
from xenwatch.cli.report import as_html, as_json, as_markdown, as_text
from xenwatch.diagnosis.matching.scanner import Scanner
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.logs.format import all_formats
from xenwatch.model.event import Event
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.report import Report

NOW = 1_305_752_200.0
REAL = [
    b"[2011-05-18 20:55:04 xend 3456] ERROR (XendDomainInfo:2050) Device 0 (vif) could not be connected. Hotplug ...",
    b"[2011-05-18 20:55:05 xend 3456] WARNING (XendDomainInfo:874) Domain has crashed: name=web id=5.",
    b"May 18 20:55:03 dom0 logger: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr1",
    b"libxl: error: libxl_create.c:1921:domcreate_attach_devices: Domain 7:unable to add vif devices",
    b"(XEN) (d7) BUG: unable to handle kernel NULL pointer dereference at 0000000000000018",
    b"(XEN) domain_crash called from p2m.c:1234",
    b"Traceback (most recent call last):\n  File \"x.py\", line 3, in y\nVmError: (22, 'Invalid argument')",
    b"xc: error: panic: xc_dom_core.c:585: xc_dom_find_loader: no loader found: Invalid kernel",
]
FORGED = b"\n[2011-05-18 20:55:04 xend 1] ERROR (a:1) x"
HURT = [
    *(b"\x1b[2J\x1b]0;owned\x07", b"\0", b"\xff\xfe", b"\r", b"\xe2\x80\xae", FORGED),
    *(b"<script>alert(1)</script>", b"`rm -rf ~`", b"$(id)", b"9999-12-31", b"```\n# x\n", b"{domain}", b"%s%n"),
]
ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    line = bytearray(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        line[at : at + draw(st.integers(0, 6))] = draw(st.sampled_from(HURT) | st.binary(max_size=4))
    return bytes(line)


LOGS = st.lists(_mutated() | st.sampled_from(REAL) | st.binary(max_size=60), min_size=1, max_size=12).map(b"\n".join)
NAMES = st.sampled_from(["xend.log", "messages", "xl-web.log", "qemu-dm-web.log", "guest-web.log", "xl-dmesg", "x.txt"])
FEW = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rule, ...]:
    return rules_with((), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


def _told(folder: Path, rules: tuple[Rule, ...], cache: Path) -> Report | None:
    try:
        return diagnose([str(folder)], rules, cache=cache)
    except InputError:
        return None


@FEW
@given(name=NAMES, log=LOGS)
@example(name="xend.log", log=REAL[1].replace(b"web", b"\x1b[2Jweb"))
def test_any_log_gives_a_report_in_every_form_and_no_escape_in_those_for_people(
    tmp_path: Path, rules: tuple[Rule, ...], cache: Path, name: str, log: bytes
) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    (tmp_path / name).write_bytes(log)
    report = _told(tmp_path, rules, cache)
    if report is None:
        return
    plain = re.sub(r"\x1b\[[\d;]*m", "", as_text.render(report, 80))
    for text in (plain, as_json.render(report), as_markdown.render(report), as_html.render(report)):
        assert not ESCAPES.search(text)
    assert "<script>alert" not in as_html.render(report)


def _events(scanner: Scanner, source: Source, pieces: list[bytes]) -> list[tuple[str, str, str, float]]:
    found: list[Event] = []
    offset, line = 0, 1
    for piece in pieces:
        found += scanner.feed(Chunk(source, piece, Position("1", offset, line), TimeHint(NOW)))
        offset, line = offset + len(piece), line + piece.count(b"\n")
    return [(e.rule, e.kind, str(e.subject), e.at) for e in found]


@FEW
@given(format_=st.sampled_from(sorted(all_formats())), log=LOGS, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_however_the_lines_come_in_no_event_is_lost(
    rules: tuple[Rule, ...], cache: Path, format_: str, log: bytes, cuts: list[int]
) -> None:
    lines = [part + b"\n" for part in (log.rstrip(b"\n")).split(b"\n")]
    places = [0, *sorted({min(cut, len(lines)) for cut in cuts}), len(lines)]
    pieces = [b"".join(lines[a:b]) for a, b in pairwise(places) if a < b]
    source = Source("a.log", all_formats()[format_])
    whole = _events(Scanner(rules, cache=cache), source, [b"".join(lines)])
    cut = _events(Scanner(rules, cache=cache), source, pieces)
    # a later line of a record may still name its guest or silence it: what happened is told all the same
    assert {event[:2] for event in whole} <= {event[:2] for event in cut}
