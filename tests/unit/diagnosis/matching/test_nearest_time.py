"""A record without a time has that of the nearest dated one before it, as far as it is near."""

import pytest

from xenwatch.diagnosis.matching.nearest_time import NearestTime
from xenwatch.logs.format import all_formats
from xenwatch.model.record import TimeHint

HINT = TimeHint(1_700_000_000.0)
DATED = b"2013-05-18 20:55:04 UTC libxl: error: it broke\n"
AT = 1368910504.0


def times(data: bytes, name: str = "stderr") -> list[float | None]:
    """For each line, what stands before it."""
    nearest = NearestTime(data, all_formats()[name], HINT)
    starts = [0, *(place + 1 for place, byte in enumerate(data) if byte == 0x0A)]
    return [nearest.before(start) for start in starts]


def test_undated_lines_take_the_time_before_them() -> None:
    assert times(b"Error: one\n" + DATED + b"Error: two\nError: three\n") == [None, None, AT, AT, AT]


def test_a_time_more_than_24_records_back_is_not_near() -> None:
    found = times(DATED + b"Error: again\n" * 40)
    assert found == [None, *[AT] * 24, *[None] * 17]


def test_a_dated_line_after_a_long_time_without_counts_again() -> None:
    found = times(b"Error: again\n" * 60 + DATED + b"Error: again\n")
    assert found[-2:] == [AT, AT]


@pytest.mark.parametrize("asked_first", [0, 30, 61])
def test_the_order_in_which_is_asked_changes_nothing(asked_first: int) -> None:
    data = DATED + b"Error: again\n" * 20 + DATED + b"Error: again\n" * 40
    starts = [0, *(place + 1 for place, byte in enumerate(data) if byte == 0x0A)]
    nearest = NearestTime(data, all_formats()["stderr"], HINT)
    nearest.before(starts[asked_first])
    assert [nearest.before(start) for start in starts] == times(data)


def test_every_time_that_a_format_reads_has_hours_minutes_and_seconds() -> None:
    """What is without `00:00:00` for digits is not asked for its time."""
    for format_ in all_formats().values():
        for text in ("2013-05-18", "[1368910504] it broke", "May 18 it broke", "(XEN) [ 1234.567890] it broke"):
            assert format_.parse(text, HINT).at is None, (format_.name, text)
