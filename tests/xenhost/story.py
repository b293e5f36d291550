"""A story: how a host is broken and what xenwatch must then say. One YAML file each in `stories/`."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from machine import Machine

FOLDER = Path(__file__).parent / "stories"
API = "http://127.0.0.1:10197/api/v1/incidents?full=1"

REFUSED = 22
"""curl's exit status for an HTTP error."""


@dataclass(frozen=True)
class Story:
    """`break_` is a shell script for dom0; `expect` lists what must be reported and within how many seconds."""

    name: str
    title: str
    break_: str
    expect: tuple[dict[str, Any], ...]
    seconds: float = 150
    fails: bool = False
    """The script is meant to fail: the failure is the story."""
    silent: bool = False
    """Nothing is wrong: no incident above info may appear."""
    suites: tuple[str, ...] = ("bookworm", "trixie")
    mend: str = ""
    """Shell script that puts right what was broken; the expected incidents must then be resolved."""
    hardware: str = "all"
    """`no-hvm`: on a processor without AMD-V, which costs a boot and an installation of its own."""


@dataclass
class Outcome:
    """What came of a story on one host: each expectation with the seconds after which it was met, or None."""

    story: Story
    suite: str
    met: list[tuple[dict[str, Any], float | None]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        loud = [i for i in self.incidents if i["severity"] != "info"]
        return all(seconds is not None for _, seconds in self.met) and not (self.story.silent and loud)


def load() -> list[Story]:
    stories = []
    for path in sorted(FOLDER.glob("*.yaml")):
        data = yaml.safe_load(path.read_text())
        known = {"title", "break", "mend", "expect", "seconds", "fails", "silent", "suites", "hardware"}
        if unknown := set(data) - known:
            raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
        data["break_"] = data.pop("break")
        data["expect"] = tuple(data["expect"])
        stories.append(Story(path.stem, **data))
    return stories


def play(machine: Machine, story: Story) -> Outcome:
    """Break the host, then ask the installed agent until all is reported or its time is up."""
    old = {incident["id"] for incident in incidents(machine)}
    done = machine.run(story.break_, timeout=story.seconds, check=False)
    if bool(done.returncode) != story.fails:
        raise RuntimeError(f"{story.name}: the script ended with {done.returncode}: {done.stdout}{done.stderr}")
    outcome, broken = Outcome(story, machine.image.suite.name), time.monotonic()
    waiting = list(story.expect)
    deadline = max((e.get("within", 30) for e in waiting), default=45)
    met: dict[int, float] = {}
    while True:
        outcome.incidents = [incident for incident in incidents(machine) if incident["id"] not in old]
        for number, expected in enumerate(waiting):
            if number not in met and any(matches(expected, i) for i in outcome.incidents):
                met[number] = time.monotonic() - broken
        if time.monotonic() - broken > deadline or (waiting and len(met) == len(waiting)):
            break
        time.sleep(2)  # asking costs an emulated dom0 half of that
    outcome.met = [(e, met.get(n)) for n, e in enumerate(waiting)]
    return outcome


def incidents(machine: Machine) -> list[dict[str, Any]]:
    """All that the agent knows now; nothing where it is too busy to answer, but an answer it refuses is a mistake."""
    answer = machine.run(f"curl -s --fail-with-body -m 10 '{API}'", timeout=20, check=False)
    if answer.returncode == REFUSED:
        raise RuntimeError(f"{API}: {answer.stdout[:300]}")
    if answer.returncode:
        return []
    found: list[dict[str, Any]] = json.loads(answer.stdout)["incidents"]
    return found


def matches(expected: dict[str, Any], incident: dict[str, Any]) -> bool:
    subject = f"{incident['subject']['kind']}/{incident['subject']['name']}"
    seen = {"rule": incident["rule"], "class": incident["class"], "subject": subject}
    return all(seen[key] == expected[key] for key in seen.keys() & expected.keys()) and all(
        incident.get("fields", {}).get(key) == value for key, value in expected.get("fields", {}).items()
    )
