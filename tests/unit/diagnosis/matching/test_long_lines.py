"""A line filled with what signatures look for is not asked about a thousand times, and nothing in it is overlooked."""

import pytest

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.matching.linear import may_occur
from xenwatch.diagnosis.matching.long_lines import LONG, WINDOW, long_lines, windows
from xenwatch.diagnosis.matching.prefilter_factory import make_prefilter
from xenwatch.logs.format import all_formats

REGEXES = ["Login failed", "no such disk", r"name=(?P<domain>\w+)"]
SHORT = b"xend: Login failed name=web\n"


def ids(data: bytes) -> list[int]:
    return [index for _, index in make_prefilter(REGEXES, "hyperscan").candidates(data)]


def test_of_short_lines_every_hit_is_told() -> None:
    assert len(ids(SHORT * 1000)) == 2 * 1000


def test_in_a_line_of_64_kib_a_signature_is_told_once_in_each_window() -> None:
    found = ids(b"Login failed" * 5500)
    assert set(found) == {0}
    assert len(found) <= len(windows(0, 66_000)) == 66_000 // WINDOW + 1


def test_a_part_that_is_nothing_but_hits_is_given_up_and_that_is_counted() -> None:
    engine = make_prefilter(["a"], "hyperscan")
    assert {index for _, index in engine.candidates(b"a" * 66_000)} == {0}
    assert engine.stopped == len(windows(0, 66_000))


def test_of_lines_as_programs_write_them_nothing_is_given_up() -> None:
    engine = make_prefilter(REGEXES, "hyperscan")
    engine.candidates(SHORT * 5000 + b"Login failed among many other words; " * 2000)
    assert engine.stopped == 0


@pytest.mark.parametrize("at", [0, WINDOW - 5, WINDOW, 5 * WINDOW + 17, 65_000])
def test_what_stands_anywhere_among_it_is_found(at: int) -> None:
    line = bytearray(b"Login failed at a door " * 3000)
    line[at : at + 12] = b"no such disk"
    assert 1 in ids(bytes(line))


def test_the_short_lines_around_it_are_read_as_ever() -> None:
    long = b"x" * 70_000 + b"\n"
    assert ids(SHORT + long + SHORT * 2 + long + SHORT) == [0, 2] * 4


def test_the_places_of_hits_are_those_in_the_whole_text() -> None:
    data = SHORT + b"x" * 70_000 + b"no such disk\n" + SHORT
    for at, index in make_prefilter(REGEXES, "hyperscan").candidates(data):
        assert re.compile(REGEXES[index].encode()).search(data[at - 12 : at + 12])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", []),
        (SHORT * 1000, []),
        (b"x" * (LONG - 1) + b"\n", []),
        (b"x" * LONG + b"\n", []),
        (b"x" * (LONG + 1) + b"\n", [(0, LONG + 1)]),
        (SHORT + b"x" * 20_000, [(len(SHORT), len(SHORT) + 20_000)]),
        (b"x" * 9000 + b"\n" + b"y" * 9000 + b"\n", [(0, 9000), (9001, 18_001)]),
    ],
)
def test_a_long_line_is_told_by_its_begin_and_end(data: bytes, found: list[tuple[int, int]]) -> None:
    assert long_lines(data) == found


@pytest.mark.parametrize("name", ["syslog", "kernel", "xend-debug", "xenstored"])
@pytest.mark.parametrize(
    "words",
    ["sshd[7]: Invalid user Domain has crashed", "Unknown directive x", "usb 1-1: Product: x", "nothing of all this"],
)
def test_what_the_fast_look_finds_nowhere_re_finds_nowhere(name: str, words: str) -> None:
    foreign = all_formats()[name].guest_text
    assert foreign is not None
    for text in (words, "x " * 1000 + words, words + " x" * 1000):
        assert may_occur(foreign, text) or foreign.search(text) is None
