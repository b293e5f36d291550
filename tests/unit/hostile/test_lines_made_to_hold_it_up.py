"""Lines that are built to hold the watch up: each expression of the library reads a bounded part of them, once.

Nothing here is timed. RE2 takes at most one step for each of its states and each character, so that bounds on the
states and on the characters that are read bound the work; `tests/benchmarks/bench_hostile.py` says how long it takes.
"""

import pytest
from hostile_lines import attacks

from xenwatch.diagnosis.matching.linear import (
    MOST_MATCHES,
    MOST_STEPS,
    MOST_WINDOWS,
    NARROW,
    WIDE,
    Effort,
    Expression,
    Haystack,
    expression,
    first_match,
    occurrences,
)
from xenwatch.diagnosis.namings import NAMINGS
from xenwatch.diagnosis.operations.marks import MARKS
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import shipped_rules

LINE = 64 * 1024
MOST_ATTACKS = 3


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return load_library([shipped_rules()])


@pytest.fixture(scope="module")
def regexes(rules: tuple[Rule, ...]) -> list[str]:
    signatures = [signature.regex for rule in rules for signature in rule.signatures]
    return [*signatures, *(naming.pattern for naming in NAMINGS), *(mark.pattern.pattern for mark in MARKS)]


def test_every_expression_of_the_library_is_read_by_re2_with_few_states(regexes: list[str]) -> None:
    expressions = [expression(regex) for regex in regexes]
    assert [regex for regex, made in zip(regexes, expressions, strict=True) if not made.is_linear] == []
    assert all(made.reach <= WIDE and made.states * made.reach <= MOST_STEPS for made in expressions)


def test_no_line_built_from_an_expression_makes_it_read_more_than_a_few_windows(regexes: list[str]) -> None:
    for regex in regexes:
        made = expression(regex)
        for line in attacks(regex, LINE, MOST_ATTACKS):
            assert read_by(made, line.encode()) <= min(MOST_WINDOWS * made.reach, LINE + MOST_WINDOWS * made.reach // 4)


def read_by(made: Expression, line: bytes) -> int:
    """How many characters of a line are read to capture fields."""
    windows = list(made.windows(line))
    assert len(windows) <= MOST_WINDOWS
    assert all(end - begin <= made.reach for begin, end in windows)
    return sum(end - begin for begin, end in windows)


def test_an_expression_that_matches_without_end_is_told_a_bounded_number_of_times() -> None:
    found = list(occurrences(r"vif(?P<domid>\d)", Haystack("vif1 " * (LINE // 5))))
    assert 0 < len(found) <= MOST_WINDOWS * MOST_MATCHES


def test_a_match_at_the_end_of_a_long_line_is_found() -> None:
    text = Haystack("web " * 16_000 + "Domain web7 (5) started")
    found = first_match(r"Domain (?P<domain>\w+) \((?P<domid>\d+)\) started", text)
    assert found is not None
    assert (found.fields, text.text[found.start : found.start + 6]) == ({"domain": "web7", "domid": "5"}, "Domain")


def test_a_long_line_that_nearly_matches_everywhere_still_shows_what_does_match() -> None:
    nearly = "failed: Permission denied, " * 10
    found = first_match(r"failed: (?!Permission denied)(?P<reason>[^\n,]+)", Haystack(nearly + "failed: no such disk"))
    assert found is not None
    assert found.fields == {"reason": "no such disk"}


def test_what_a_line_repeats_for_64_kib_is_captured_up_to_a_bound() -> None:
    found = first_match(r"refused: (?P<reason>[^\n]+)", Haystack("refused: " + ",(" * LINE))
    assert found is not None
    assert 1000 < len(found.fields["reason"]) <= WIDE


@pytest.mark.parametrize(
    ("regex", "text", "fields"),
    [
        (r"(?<!not )ready (?P<what>\w+)", "not ready disk, ready vif", {"what": "vif"}),
        (r"died(?! of old age) (?P<how>\w+)", "died of old age, died early", {"how": "early"}),
        (r"add (?P<what>\w+?)s?(?=\s|$)", "add disks", {"what": "disk"}),
        (r"(?:a|b(?=c)|(?P<x>d)(?!e))x?", "bd de", {"x": "d"}),
        (r"é(?P<rest>[ü“]+)", "né ü éü“", {"rest": "ü“"}),
    ],
)
def test_lookarounds_hold_as_in_pythons_own_expressions(regex: str, text: str, fields: dict[str, str]) -> None:
    found = first_match(regex, Haystack(text))
    assert found is not None
    assert found.fields == fields


@pytest.mark.parametrize(("gap", "found"), [(400, True), (401, False)])
def test_a_gap_of_hundreds_of_characters_is_measured_not_counted(gap: int, found: bool) -> None:
    regex = r"domid (?P<domid>\d+).{0,400}?name (?P<domain>\w+)"
    assert expression(regex).states < 100
    assert (first_match(regex, Haystack(f"domid 5{'-' * gap}name web")) is not None) is found


def test_an_expression_that_only_re_can_take_gets_no_more_than_a_narrow_window() -> None:
    made = expression(r"(?P<a>\w+)-(?P=a)!")
    assert not made.is_linear
    assert made.reach == NARROW
    assert first_match(r"(?P<a>\w+)-(?P=a)!", Haystack("web-db! web-web!")) is not None


def test_a_chunk_gets_a_bounded_effort_and_what_is_left_out_is_counted() -> None:
    effort = Effort(100)
    text = Haystack("Domain web7 crashed " * 3, effort)
    assert first_match("web7", text) is not None
    assert first_match("web7", text) is None
    assert effort.skipped == 1
