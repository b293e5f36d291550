"""When people are told: what opens is grouped, told again, and told to be over; symptoms stay silent."""

from dataclasses import replace
from datetime import datetime, time

import pytest

from xenwatch.base.errors import InvalidValue
from xenwatch.model.diagnosis import Diagnosis, Severity
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.notify.route import QuietHours, Route, parse_quiet
from xenwatch.notify.schedule import Schedule


def incident(
    key: str = "a", severity: Severity = "error", name: str = "web", class_: str = "storage-full", **more
) -> Incident:
    diagnosis = Diagnosis("r", class_, Subject("domain", name), severity, "A title", "s", "why", 1.0)
    return replace(Incident(key, diagnosis, "open", 1.0, 1.0), **more)


def due(schedule: Schedule, now: float) -> tuple[str, list[str]] | None:
    found = schedule.due(now)
    return None if found is None else (found[0], [i.id for i in found[1]])


def told(schedule: Schedule, now: float) -> tuple[str, list[str]] | None:
    """What is due, delivered."""
    found, words = schedule.due(now), due(schedule, now)
    if found is not None:
        schedule.sent(*found, now)
    return words


def test_what_opens_within_half_a_minute_is_one_message() -> None:
    schedule = Schedule(Route("r", ()))
    schedule.changed([incident("a")], 100.0)
    schedule.changed([incident("b")], 120.0)
    assert due(schedule, 129.0) is None
    assert told(schedule, 130.0) == ("opened", ["a", "b"])
    assert due(schedule, 1000.0) is None


def test_it_is_told_again_while_it_is_open_and_when_it_is_over() -> None:
    schedule = Schedule(Route("r", (), repeat_every=3600.0))
    schedule.changed([incident()], 0.0)
    told(schedule, 30.0)
    assert told(schedule, 3630.0) == ("repeated", ["a"])
    schedule.changed([incident(state="resolved", resolved=4000.0)], 4000.0)
    assert told(schedule, 4030.0) == ("resolved", ["a"])
    assert due(schedule, 99999.0) is None


def test_what_ends_before_anybody_was_told_is_never_told() -> None:
    schedule = Schedule(Route("r", ()))
    schedule.changed([incident()], 0.0)
    schedule.changed([incident(state="resolved", resolved=10.0)], 10.0)
    assert due(schedule, 1000.0) is None


def test_the_end_is_not_told_where_nobody_wants_to_know() -> None:
    schedule = Schedule(Route("r", (), resolved=False, repeat_every=0.0))
    schedule.changed([incident()], 0.0)
    told(schedule, 30.0)
    schedule.changed([incident(state="resolved", resolved=40.0)], 40.0)
    assert due(schedule, 99999.0) is None


@pytest.mark.parametrize(
    "silent",
    [
        incident(severity="warning"),
        incident(class_="domain-crashed"),
        incident(name="mail"),
        incident(state="explained", explained_by="b"),
        incident(acknowledged_by="ann"),
    ],
)
def test_what_a_route_is_not_for_stays_quiet(silent: Incident) -> None:
    schedule = Schedule(Route("r", (), classes=("storage-*",), subjects=("domain/web*",)))
    schedule.changed([silent], 0.0)
    assert due(schedule, 1000.0) is None
    schedule.changed([incident()], 1000.0)
    assert told(schedule, 1030.0) == ("opened", ["a"])


def test_what_becomes_worse_is_news() -> None:
    schedule = Schedule(Route("r", ()))
    schedule.changed([incident()], 0.0)
    told(schedule, 30.0)
    schedule.changed([incident(times_seen=9)], 40.0)
    assert due(schedule, 100.0) is None
    schedule.changed([incident(severity="critical")], 100.0)
    assert told(schedule, 130.0) == ("opened", ["a"])


def test_a_failed_delivery_is_tried_again_with_growing_pauses() -> None:
    schedule = Schedule(Route("r", ()))
    schedule.changed([incident()], 0.0)
    assert due(schedule, 30.0)
    schedule.failed(30.0)
    assert due(schedule, 34.0) is None
    assert due(schedule, 35.0)
    schedule.failed(35.0)
    assert due(schedule, 44.0) is None
    assert told(schedule, 45.0) == ("opened", ["a"])


def test_after_a_restart_nobody_is_told_twice_but_hears_of_the_end() -> None:
    before, after = Schedule(Route("r", ())), Schedule(Route("r", ()))
    before.changed([incident()], 0.0)
    told(before, 30.0)
    after.from_json(before.to_json())
    after.changed([incident()], 100.0)
    assert due(after, 200.0) is None
    after.changed([incident(state="resolved", resolved=300.0)], 300.0)
    assert told(after, 330.0) == ("resolved", ["a"])


def at(hour: int) -> float:
    return datetime(2026, 11, 30, hour, 30).astimezone().timestamp()


def test_in_quiet_hours_only_the_worst_is_told_and_the_rest_in_the_morning() -> None:
    schedule = Schedule(Route("r", (), quiet=QuietHours(time(22), time(7))))
    schedule.changed([incident("a"), incident("b", "critical")], at(23))
    assert told(schedule, at(23) + 60) == ("opened", ["b"])
    assert due(schedule, at(23) + 3600) is None
    assert told(schedule, at(23) + 9 * 3600) == ("opened", ["a"])


@pytest.mark.parametrize(
    ("text", "hour", "held"), [("22:00-07:00", 3, True), ("22:00-07:00", 12, False), ("12:00-13:00", 12, True)]
)
def test_quiet_hours_may_go_over_midnight(text: str, hour: int, held: bool) -> None:
    quiet = parse_quiet(text, "critical")
    assert quiet is not None
    assert quiet.hold("error", at(hour)) is held
    assert not quiet.hold("critical", at(hour))


def test_what_is_no_time_of_the_day_is_refused() -> None:
    with pytest.raises(InvalidValue, match="two times of the day"):
        parse_quiet("ten to six", "critical")
    assert parse_quiet("", "critical") is None


def test_what_quiet_hours_hold_back_does_not_hold_back_the_rest() -> None:
    midnight = datetime(2026, 3, 1).timestamp()  # noqa: DTZ001 - quiet hours are of the local day
    schedule = Schedule(Route("r", (), quiet=parse_quiet("22:00-07:00", "critical")))
    schedule.changed([incident("loud", "critical")], midnight)
    told(schedule, midnight + 30)
    schedule.changed([incident("quiet", "error")], midnight + 60)
    schedule.changed([incident("loud", "critical", state="resolved", resolved=midnight + 90)], midnight + 90)
    assert told(schedule, midnight + 300) == ("resolved", ["loud"])
    assert schedule.waiting == 1
