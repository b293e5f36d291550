"""Two failures of different guests, 20 s apart: each is told as it is told alone, whatever else the host suffers."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.diagnose import diagnose

FOLDER = Path(__file__).parents[1] / "recordings"
APART = 20.0
TIME = re.compile(
    r"^(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00)|^\[(?P<plain>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\]"
    r"|^\[(?P<store>\d{8}T\d\d:\d\d:\d\d\.\d+Z)\]",
    re.MULTILINE,
)
DOMID = re.compile(
    r"(?P<before>\b[Dd]omain |/vif/|/vbd/|/local/domain/|\bvif|\bdomid |\bid=|/console/|\bd|\bbootloader\.)"
    r"(?P<id>[1-9]\d?)\b"
)
NAMES = {"web": "mail", "db": "news", "app": "shop"}
NAME = re.compile(r"\b(web|db|app)\b")
SHIFT = 40


class Recording(NamedTuple):
    """A failure: its log files by name, and what it is to be told as."""

    name: str
    files: dict[str, str]
    expect: list[dict[str, Any]]

    @property
    def span(self) -> tuple[datetime, datetime]:
        times = [at for text in self.files.values() for at in times_in(text)]
        return min(times), max(times)


def times_in(text: str) -> Iterator[datetime]:
    return (_read(found) for found in TIME.finditer(text))


def _read(found: re.Match[str]) -> datetime:
    if found["iso"]:
        return datetime.fromisoformat(found["iso"])
    form = "%Y-%m-%d %H:%M:%S%z" if found["plain"] else "%Y%m%dT%H:%M:%S.%f%z"
    return datetime.strptime(f"{found['plain'] or found['store'][:-1]}+0000", form)  # noqa: DTZ007 - %z is in it


def _moved(by: timedelta, found: re.Match[str]) -> str:
    at = _read(found) + by
    if found["iso"]:
        return at.isoformat(timespec="microseconds")
    return f"[{at:%Y-%m-%d %H:%M:%S}]" if found["plain"] else f"[{at:%Y%m%dT%H:%M:%S}.{at.microsecond // 1000:03}Z]"


def recorded(folder: Path) -> Recording:
    logs = folder / "log"
    files = {str(f.relative_to(logs)): f.read_text(errors="replace") for f in sorted(logs.rglob("*")) if f.is_file()}
    return Recording(folder.name, files, yaml.safe_load((folder / "recording.yaml").read_text())["expect"])


RECORDINGS = [recorded(path.parent) for path in sorted(FOLDER.glob("*/recording.yaml"))]
FAILURES = [r for r in RECORDINGS if r.expect and any(True for text in r.files.values() for _ in times_in(text))]


def later(one: Recording, after: datetime) -> Recording:
    """The same with other guests, other domids and at a later time."""
    by = after - one.span[0]

    def changed(text: str) -> str:
        text = TIME.sub(partial(_moved, by), text)
        text = DOMID.sub(lambda f: f"{f['before']}{int(f['id']) + SHIFT}", text)
        text = re.sub(r"\bxl\[(\d+)\]", lambda f: f"xl[{int(f[1]) + 5000}]", text)
        return NAME.sub(lambda f: NAMES[f[0]], text)

    expect = [
        {**e, "subject": NAME.sub(lambda f: NAMES[f[0]], e["subject"])} if "subject" in e else e for e in one.expect
    ]
    return Recording(one.name, {changed(k): changed(v) for k, v in one.files.items()}, expect)


def together(one: Recording, other: Recording) -> dict[str, str]:
    files = dict(one.files)
    for name, text in other.files.items():
        files[name] = files.get(name, "") + text
    return files


def told(files: dict[str, str], folder: Path, rules: Sequence[Rule]) -> set[tuple[str, str]]:
    """Class and subject of every root cause."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    report = diagnose([str(folder)], rules, cache=cache_folder())
    roots = [i.diagnosis for i in report.incidents if i.explained_by is None and i.diagnosis.severity != "info"]
    return {(d.class_, f"{d.subject.kind}/{d.subject.name}") for d in roots}


def wanted(one: Recording) -> list[tuple[str, str]]:
    return [(e["class"], e.get("subject", "")) for e in one.expect]


def missing(expected: list[tuple[str, str]], found: set[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(c, s) for c, s in expected if not any(c == fc and s in ("", fs) for fc, fs in found)]


PAIRS = list(permutations(FAILURES, 2))[::4]
"""Every fourth: all 342 take a minute."""


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda r: r.name)
def test_two_failures_soon_after_each_other_are_both_told(
    one: Recording, other: Recording, tmp_path: Path, rules: Sequence[Rule]
) -> None:
    second = later(other, one.span[1] + timedelta(seconds=APART))
    found = told(together(one, second), tmp_path, rules)
    assert missing(wanted(one) + wanted(second), found) == [], found
