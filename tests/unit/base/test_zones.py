"""A zone by name knows summer time; what is no zone is refused with examples."""

from datetime import UTC, datetime

import pytest

from xenwatch.base.errors import InvalidValue
from xenwatch.base.zones import as_tzinfo, offset_at_wall, parse_zone
from xenwatch.logs.timestamps import iso_time, syslog_time
from xenwatch.model.record import TimeHint

NEAR = datetime(2026, 11, 30, tzinfo=UTC).timestamp()


def at(*date: int) -> float:
    return datetime(*date, tzinfo=UTC).timestamp()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "hours"), [("UTC", 0), ("Z", 0), ("+02:00", 2), ("-0530", -5.5), ("Asia/Kolkata", 5.5)]
)
def test_a_zone_is_an_offset_or_a_name(text: str, hours: float):
    assert offset_at_wall(NEAR, parse_zone(text)) == hours * 3600


@pytest.mark.parametrize("text", ["Nowhere/Town", "Europe", "../../etc/passwd", "", "2 hours", "a\0b"])
def test_what_is_no_zone_is_refused_with_examples(text: str):
    with pytest.raises(InvalidValue, match="Europe/Berlin"):
        parse_zone(text)


def test_summer_and_winter_times_of_one_log_are_read_each_with_its_offset():
    hint = TimeHint(NEAR, parse_zone("Europe/Berlin"))
    assert syslog_time("Jul  1 12:00:00", hint) == at(2026, 7, 1, 10)
    assert syslog_time("Nov 28 12:00:00", hint) == at(2026, 11, 28, 11)
    assert iso_time("2026-03-29 03:30:00", hint) == at(2026, 3, 29, 1, 30)
    assert iso_time("2026-03-29 03:30:00+00:00", hint) == at(2026, 3, 29, 3, 30), "a zone in the line counts more"


def test_a_fixed_offset_knows_no_summer():
    assert syslog_time("Jul  1 12:00:00", TimeHint(NEAR, 3600.0)) == at(2026, 7, 1, 11)


def test_a_host_whose_zone_is_named_in_the_environment_has_its_summer_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    zone = parse_zone("local")
    assert offset_at_wall(at(2026, 7, 1), zone) == 7200
    assert offset_at_wall(at(2026, 12, 1), zone) == 3600


def test_the_zone_is_what_datetime_takes():
    assert as_tzinfo(0.0) is UTC
    assert datetime.fromtimestamp(at(2026, 7, 1), as_tzinfo(parse_zone("Europe/Berlin"))).hour == 2
