"""The demo's story: read from its file and written into real log files as time passes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import yaml

from xenwatch.base.clock import Clock
from xenwatch.base.durations import parse_duration

STORY = Path(__file__).with_name("story.yaml")


@dataclass(frozen=True, slots=True)
class StoryStep:
    """Lines by file (relative to the log folder), written `at` seconds after the start."""

    title: str
    at: float
    lines: Mapping[str, tuple[str, ...]]
    expected_class: str | None = None
    """Class of the root cause that xenwatch should report; None where nothing is wrong."""


def read_story(path: Path = STORY) -> tuple[StoryStep, ...]:
    """The steps of a story file, in the order of time."""
    steps = yaml.safe_load(path.read_text())["steps"]
    return tuple(
        StoryStep(
            title=step["title"],
            at=parse_duration(step["at"]),
            lines={name: tuple(lines) for name, lines in step["lines"].items()},
            expected_class=step.get("expected_class"),
        )
        for step in steps
    )


async def play(steps: tuple[StoryStep, ...], log_dir: Path, clock: Clock, zone: tzinfo | None = None) -> None:
    """Write every step when its time has come, then return."""
    started = clock.monotonic()
    for step in steps:
        await clock.sleep(step.at - (clock.monotonic() - started))
        write(step, log_dir, clock.now(), zone)


def write(step: StoryStep, log_dir: Path, now: float, zone: tzinfo | None = None) -> None:
    """Append a step's lines. `zone`: in which local times are written, the machine's own by default."""
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    for name, lines in step.lines.items():
        path = log_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.writelines(f"{line.format(now=local)}\n" for line in lines)
