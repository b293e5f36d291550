"""Bundles of a real host with history: earlier troubles in older and rotated logs, and then the present one.

`python tests/recorded_history.py` prints how often the present failure is the first that `diagnose` names.
"""

import gzip
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import click
from recorded import Recording, recordings

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.model.incident import Incident
from xenwatch.triage.diagnose import diagnose

AGES = (timedelta(days=6), timedelta(days=2), timedelta(hours=26), timedelta(hours=3))
"""How long before the present failure the earlier ones began."""
AFTER_REPAIR = timedelta(minutes=15)
OTHER_GUESTS = {"web": "mail", "db": "news", "app": "shop", "big": "huge"}
KINDS = ("the same guests", "other guests", "repaired since", "rebooted since")
_ROTATED_AT_EACH_START = "xen/xl-"
_NEVER_ROTATED = "xen/console/"
_HEALTHY, _DOMIDS_OF_A_TROUBLE = "healthy-guest", 16


class Log(NamedTuple):
    text: str
    changed: datetime
    """When it was written to for the last time."""


class Bundle(NamedTuple):
    """Files by name, and the failure that is to be first."""

    name: str
    kind: str
    files: dict[str, Log]
    present: Recording


def bundles() -> Iterator[Bundle]:
    """Each recorded failure after four others, once for each kind of history."""
    everyone = recordings()
    healthy = next(one for one in everyone if one.name == _HEALTHY)
    failures = [one for one in everyone if one.expect]
    past = [one for one in failures if one.has_times]
    for number, present in enumerate(failures):
        others = [one for one in past if one.name != present.name]
        for turn, kind in enumerate(KINDS):
            chosen = [others[(number * 5 + turn * 7 + step * 3) % len(others)] for step in range(len(AGES))]
            yield _bundle(present, chosen, healthy, kind)


def _bundle(present: Recording, past: Sequence[Recording], healthy: Recording, kind: str) -> Bundle:
    step = 0 if kind == "rebooted since" else _DOMIDS_OF_A_TROUBLE
    names = OTHER_GUESTS if kind == "other guests" else {}
    now = (present if present.has_times else healthy).span[0]
    story: list[tuple[timedelta, Recording]] = []
    for number, (age, one) in enumerate(zip(AGES, past, strict=True)):
        earlier = one.moved(now - age - one.span[0], domids=number * step, names=names)
        story.append((age, earlier))
        if kind == "repaired since":
            since = earlier.span[1] + AFTER_REPAIR - healthy.span[0]
            story.append((age, healthy.moved(since, domids=number * step + step // 2, names={"web": _guest(one)})))
    story.append((timedelta(0), present.moved(timedelta(0), domids=len(AGES) * step, names={})))
    name = f"{present.name}, {kind}: {', '.join(p.name for p in past)}"
    return Bundle(name, kind, _as_logs(story, now), story[-1][1])


def _guest(one: Recording) -> str:
    """The guest that its first cause is about."""
    return str(one.expect[0].get("subject", "")).removeprefix("domain/") or "web"


def _as_logs(story: Sequence[tuple[timedelta, Recording]], now: datetime) -> dict[str, Log]:
    """The files as logrotate and libxl leave them; the newest part of a log has the plain name."""
    files: dict[str, Log] = {}
    for age, one in story:
        ended = one.span[1] if one.has_times else now
        for name, text in one.files.items():
            place = name
            if name.startswith(_ROTATED_AT_EACH_START):
                place = f"{name}.{sum(name in later.files for a, later in story if a < age)}".removesuffix(".0")
            elif not name.startswith(_NEVER_ROTATED) and age.days:
                place = f"{name}.{age.days}"
            files[place] = Log(files[place].text + text if place in files else text, ended)
    return files


def write(bundle: Bundle, folder: Path) -> None:
    for name, log in bundle.files.items():
        path = folder / "var" / "log" / (f"{name}.gz" if _is_old(name) else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(log.text.encode()) if _is_old(name) else log.text.encode())
        os.utime(path, (log.changed.timestamp(), log.changed.timestamp()))


def first_told(bundle: Bundle, folder: Path, rules: Sequence[Rule]) -> Incident | None:
    """What `diagnose` names first of the bundle."""
    write(bundle, folder)
    return next(iter(diagnose([str(folder)], rules, cache=cache_folder()).incidents), None)


def _is_old(name: str) -> bool:
    return name.rpartition(".")[2].isdigit() and not name.endswith(".1") and name.startswith(("syslog", "kern.log"))


def is_present(bundle: Bundle, told: Incident | None) -> bool:
    """Whether that is the present failure, of the guest that has it."""
    if told is None:
        return False
    found = told.diagnosis
    subject = f"{found.subject.kind}/{found.subject.name}"
    return any(e["class"] == found.class_ and e.get("subject", subject) == subject for e in bundle.present.expect)


def main() -> int:
    """Name the bundles in which something else is first, and the share of those in which nothing else is."""
    rules, missed, count = rules_with((), cache_folder()), 0, 0
    for bundle in bundles():
        with tempfile.TemporaryDirectory() as folder:
            told = first_told(bundle, Path(folder), rules)
        count += 1
        if not is_present(bundle, told):
            missed += 1
            said = f"{told.diagnosis.class_} of {told.diagnosis.subject}" if told is not None else "nothing"
            click.echo(f"{bundle.name}\n    first: {said}")
    click.echo(f"the present failure is first in {count - missed} of {count} ({(count - missed) / count:.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
