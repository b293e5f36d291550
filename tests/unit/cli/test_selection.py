"""What is shown of a report: by subject, by severity, by time, and everything."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from xenwatch.base.zones import parse_zone
from xenwatch.cli._since import parse_since
from xenwatch.cli.main import cli

BRIDGE = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device {}\n"
END = datetime(2026, 11, 30, 0, 30, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def diagnose(*words: str) -> Result:
    result = CliRunner().invoke(cli, ["diagnose", "-q", *words])
    assert result.exit_code in (0, 1), result.output
    return result


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Two guests without their bridges, an array that is degraded, and a volume group that is full."""
    (tmp_path / "xl-web.log").write_text(BRIDGE.format("xenbr7"))
    (tmp_path / "xl-mail.log").write_text(BRIDGE.format("xenbr8"))
    (tmp_path / "syslog").write_text(
        "2026-11-27T20:55:03+00:00 xen1 kernel: [ 10.0] md/raid1:md0: Disk failure on sdb1, disabling device.\n"
        "2026-11-29T10:00:00+00:00 xen1 lvm[7]: Insufficient free extents (66) in volume group tank: 128 required\n"
    )
    return tmp_path


def test_only_what_is_about_a_subject_is_shown_with_the_number_of_the_rest(logs: Path):
    text = diagnose("--only", "domain/web", str(logs)).stdout
    assert text.startswith("1 root cause;")
    assert "xenbr7" in text
    assert "xenbr8" not in text
    assert "tank" not in text
    assert "left out by --only or --min-severity" in text


def test_several_subjects_can_be_named_and_a_name_alone_is_enough(logs: Path):
    text = diagnose("--only", "domain/web", "--only", "tank", str(logs)).stdout
    assert "xenbr7" in text
    assert "tank" in text
    assert "xenbr8" not in text


def test_a_cause_is_shown_where_only_what_it_explains_is_about_the_subject(tmp_path: Path):
    (tmp_path / "xl-web.log").write_text(BRIDGE.format("xenbr7"))
    text = diagnose("--only", "domain/web", str(tmp_path)).stdout
    assert "A hotplug script reported an error (domain/web)" in " ".join(text.split())


def test_a_subject_that_nothing_is_about_is_not_a_clean_bill_of_health(logs: Path):
    result = diagnose("--only", "domain/nobody", str(logs))
    assert result.stdout.startswith("No root cause among those that were asked for")
    assert "Nothing wrong found" not in result.stdout


def test_less_severe_ones_are_left_out(logs: Path):
    text = diagnose("--min-severity", "critical", str(logs)).stdout
    assert text.startswith("1 root cause, critical;")
    assert "md0" in text
    assert "xenbr7" not in text


def test_since_a_date_leaves_out_what_was_over_before(logs: Path):
    text = diagnose("--since", "2026-11-28", str(logs)).stdout
    assert "tank" in text
    assert "md0" not in text
    assert "1 older incident left out" in text


def test_everything_shows_symptoms_in_full_below_their_cause(logs: Path):
    brief, everything = diagnose(str(logs)).stdout, diagnose("--all", str(logs)).stdout
    assert "hotplug-error-reported" not in brief
    assert re.search(r"^\d\.1\. ERROR", everything, re.MULTILINE)
    assert "rule          hotplug-error-reported" in everything


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2h", "UTC", datetime(2026, 11, 29, 22, 30, tzinfo=UTC)),
        ("2026-11-28", "UTC", datetime(2026, 11, 28, tzinfo=UTC)),
        ("2026-11-28", "Europe/Berlin", datetime(2026, 11, 27, 23, tzinfo=UTC)),
        ("2026-07-01", "Europe/Berlin", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-11-28 14:30", "+01:00", datetime(2026, 11, 28, 13, 30, tzinfo=UTC)),
        ("2026-11-28T14:30+00:00", "+01:00", datetime(2026, 11, 28, 14, 30, tzinfo=UTC)),
        ("today", "UTC", datetime(2026, 11, 30, tzinfo=UTC)),
        ("yesterday", "UTC", datetime(2026, 11, 29, tzinfo=UTC)),
        ("yesterday", "-02:00", datetime(2026, 11, 28, 2, tzinfo=UTC)),
    ],
)
def test_since_takes_durations_dates_and_days(text: str, zone: str, moment: datetime):
    assert since(text)(END, parse_zone(zone)) == moment.timestamp()


def test_since_all_is_before_everything():
    assert since("all")(END, 0.0) == -float("inf")


@pytest.mark.parametrize("text", ["tomorrow", "28.11.2026", "2026-13-01", "-2h", ""])
def test_what_is_no_time_is_refused_with_examples(text: str):
    with pytest.raises(click.BadParameter, match="2026-11-28"):
        since(text)


def since(text: str):
    context = click.Context(cli)
    meaning = parse_since(context, click.Option(["--since"]), text)
    assert meaning is not None
    return meaning
