"""Each way a host is broken on purpose is reported by the installed agent, on each Xen."""

import os
from collections.abc import Callable
from pathlib import Path

import aftermath
import pytest
import story as stories
from machine import Machine
from recording import Recorder

pytestmark = pytest.mark.xenhost
RECORD = os.environ.get("XENHOST_RECORD", "")
"""A folder for what each story leaves behind; see README.md."""
COMPARE = os.environ.get("XENHOST_COMPARE", "1") != "0"
"""Whether `diagnose --live` and a bundle are asked as well, which doubles the time of a story."""
QUICK = {"bridge-missing", "healthy-guest", "paused"}


def _name(story: stories.Story) -> str:
    return f"quick-{story.name}" if story.name in QUICK else story.name


Keep = Callable[[dict[str, object]], None]


@pytest.mark.parametrize("story", [s for s in stories.load() if s.hardware == "all"], ids=_name)
def test_the_agent_says_what_was_broken(host: Machine, story: stories.Story, results: Keep) -> None:
    _tell(host, story, results)


@pytest.mark.parametrize("story", [s for s in stories.load() if s.hardware == "no-hvm"], ids=_name)
def test_the_agent_says_what_is_missing(host_without_hvm: Machine, story: stories.Story, results: Keep) -> None:
    _tell(host_without_hvm, story, results)


def _tell(host: Machine, story: stories.Story, results: Keep) -> None:
    suite = host.image.suite.name
    if suite not in story.suites:
        pytest.skip(f"this story is not for {suite}")
    recorder = Recorder(host) if RECORD else None
    outcome = stories.play(host, story)
    if recorder is not None:
        recorder.save(Path(RECORD) / suite, outcome)
    others = aftermath.other_ways(host, story) if COMPARE else {}
    after = aftermath.resolved_after(host, story) if story.mend and outcome.ok else None
    results(
        {
            "story": story.name,
            "title": story.title,
            "suite": suite,
            "ok": outcome.ok,
            "expected": [e.get("class") or e.get("rule") for e in story.expect],
            "seconds": [None if s is None else round(s, 1) for _, s in outcome.met],
            "said": [f"{i['class']} {i['subject']['kind']}/{i['subject']['name']}" for i in outcome.incidents],
            **others,
            "mendable": bool(story.mend),
            "resolved": after,
        }
    )
    assert outcome.ok, [
        (i["rule"], i["class"], i["severity"], i["subject"], i["evidence"][:2]) for i in outcome.incidents
    ]
    assert {way: answer for way, answer in others.items() if not answer["ok"]} == {}
    assert not story.mend or after is not None, "mended, and the incident is still open"
