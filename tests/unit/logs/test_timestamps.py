"""Times as Xen hosts write them."""

from datetime import UTC, datetime

import pytest

from xenwatch.logs.timestamps import english_time, iso_time, syslog_time
from xenwatch.model.record import TimeHint


def utc(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


BERLIN = 3600.0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2011-05-18 20:55:04", utc(2011, 5, 18, 19, 55, 4)),
        ("2011-05-18 20:55:04,238", utc(2011, 5, 18, 19, 55, 4) + 0.238),
        ("2024-05-01T10:00:00+0200", utc(2024, 5, 1, 8)),
        ("2024-05-01T10:00:00.123456-05:30", utc(2024, 5, 1, 15, 30) + 0.123456),
        ("20120101T12:00:00.123Z", utc(2012, 1, 1, 12) + 0.123),
        ("2012-11-22 20:11:13 UTC", utc(2012, 11, 22, 20, 11, 13)),
        ("2012-11-22 20:11:13 CET", utc(2012, 11, 22, 19, 11, 13)),
        ("20121122 20:11:13", utc(2012, 11, 22, 19, 11, 13)),
        ("2016-12-31 23:59:60", utc(2016, 12, 31, 22, 59, 59)),
    ],
)
def test_an_iso_time_without_a_zone_is_local_and_with_one_is_not(text: str, wanted: float) -> None:
    assert iso_time(text, TimeHint(near=0, utc_offset=BERLIN)) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("text", ["2011-13-18 20:55:04", "2011-02-30 20:55:04", "2011-05-18 25:55:04", "yesterday", ""])
def test_a_moment_that_does_not_exist_is_unknown(text: str) -> None:
    assert iso_time(text, TimeHint(near=0)) is None


@pytest.mark.parametrize(
    ("near", "text", "wanted"),
    [
        (utc(2010, 7, 20), "Jul 14 14:18:02", utc(2010, 7, 14, 14, 18, 2)),
        (utc(2010, 1, 2), "Dec 31 23:59:58", utc(2009, 12, 31, 23, 59, 58)),
        (utc(2009, 12, 31, 23), "Jan  1 00:10:00", utc(2010, 1, 1, 0, 10)),
        (utc(2013, 3, 1), "Feb 29 12:00:00", utc(2012, 2, 29, 12)),
        (utc(2010, 7, 20), "Jul 14 14:18:02.250", utc(2010, 7, 14, 14, 18, 2) + 0.25),
    ],
)
def test_the_missing_year_is_the_one_that_lies_nearest(near: float, text: str, wanted: float) -> None:
    assert syslog_time(text, TimeHint(near=near)) == pytest.approx(wanted)


def test_a_leap_day_far_from_any_leap_year_is_unknown() -> None:
    assert syslog_time("Feb 29 12:00:00", TimeHint(near=utc(2010, 7, 1))) is None


def test_long_dates_of_virt_manager_and_asctime_are_local() -> None:
    hint = TimeHint(near=0, utc_offset=BERLIN)
    assert english_time("Tue, 14 Jul 2009 14:18:02", hint) == utc(2009, 7, 14, 13, 18, 2)
    assert english_time("Tue Jul 14 14:18:02 2009", hint) == utc(2009, 7, 14, 13, 18, 2)
    assert english_time("Tuesday", hint) is None
