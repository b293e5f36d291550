"""The demo's story: read from its file, and played on the simulated host over and over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from xenwatch.base.clock import Clock
from xenwatch.base.durations import parse_duration
from xenwatch.demo.shell import Shell
from xenwatch.demo.world import World

STORY = Path(__file__).with_name("story.yaml")


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step, `at` seconds after the start of a round."""

    title: str
    at: float
    types: tuple[str, ...] = ()
    """Commands on the simulated host."""
    lines: Mapping[str, tuple[str, ...]] | None = None
    """Lines by file (relative to the log folder)."""
    expected_class: str | None = None
    """Class of the root cause that xenwatch should report; None where nothing is wrong."""
    over: tuple[str, ...] = ()
    """Classes of the incidents that this step ends."""
    once: bool = False
    """Whether only the first round has it."""


@dataclass(frozen=True, slots=True)
class Story:
    """All steps in the order of time, and the length of a round in seconds."""

    steps: tuple[StoryStep, ...]
    round: float


def read_story(path: Path = STORY) -> Story:
    """The story in a file."""
    raw = yaml.safe_load(path.read_text())
    return Story(
        tuple(
            StoryStep(
                title=step["title"],
                at=parse_duration(step["at"]),
                types=tuple(step.get("types", ())),
                lines={name: tuple(lines) for name, lines in step.get("lines", {}).items()},
                expected_class=step.get("expected_class"),
                over=tuple(step.get("over", ())),
                once=step.get("once", False),
            )
            for step in raw["steps"]
        ),
        parse_duration(raw["round"]),
    )


async def play(story: Story, world: World, shell: Shell) -> None:
    """Round after round, until cancelled."""
    started, nth = world.clock.monotonic(), 0
    while True:
        for step in story.steps:
            if nth and step.once:
                continue
            await _until(world.clock, started + nth * story.round + step.at)
            take(step, world, shell)
        nth += 1


def take(step: StoryStep, world: World, shell: Shell) -> None:
    """One step now. A command that a repair, or a person, has made needless fails, and that is well."""
    local = datetime.fromtimestamp(world.clock.now(), UTC).astimezone()
    domid = {name: domain.domid if domain else 0 for name, domain in world.by_name().items()}
    for file, lines in (step.lines or {}).items():
        for line in lines:
            world.log(world.here, file, line.format(now=local, domid=domid))
    for words in step.types:
        shell.run(words.format(domid=domid).split())


async def _until(clock: Clock, moment: float) -> None:
    wait = moment - clock.monotonic()
    if wait > 0:
        await clock.sleep(wait)
