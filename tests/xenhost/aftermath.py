"""After a story: what `diagnose --live` and a bundle say at that moment, and whether the incident ends once mended."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import story as stories
from machine import Done, Machine

LIVE = "xenwatch diagnose --live --format json"
COLLECT = "xenwatch collect -q -o /root/moment.tar.gz && base64 /root/moment.tar.gz"
DIAGNOSE = [sys.executable, "-m", "xenwatch.cli.main", "diagnose", "-", "--format", "json"]
"""A bundle is read on another machine: this one."""
ANSWERS = {0, 1, 3}
"""Exit codes of `diagnose` with which it has read something."""
SOON = 90
"""Seconds within which an incident must end after the repair: a cycle or two of the slowest collectors, emulated."""


def other_ways(machine: Machine, story: stories.Story) -> dict[str, dict[str, Any]]:
    """By way: whether its first cause is the story's (a quiet story: whether it is quiet), what it said, seconds."""
    return {"live": _timed(story, lambda: machine.run(LIVE, timeout=300, check=False)),
            "bundle": _timed(story, lambda: _bundle(machine))}  # fmt: skip


def _bundle(machine: Machine) -> Done:
    packed = machine.run(COLLECT, timeout=300).stdout
    read = subprocess.run(DIAGNOSE, input=base64.b64decode(packed), capture_output=True, timeout=120, check=False)
    return Done(read.returncode, read.stdout.decode(), read.stderr.decode())


def _timed(story: stories.Story, ask: Callable[[], Done]) -> dict[str, Any]:
    began = time.monotonic()
    done = ask()
    return {"seconds": round(time.monotonic() - began, 1), **_judged(story, done)}


def _judged(story: stories.Story, done: Done) -> dict[str, Any]:
    if done.returncode not in ANSWERS:
        return {"ok": False, "said": [f"exit {done.returncode}: {done.stderr[-300:]}"]}
    causes = [i for i in json.loads(done.stdout)["incidents"] if i["role"] == "cause" and i["severity"] != "info"]
    said = [f"{i['rule']} {i['subject']['kind']}/{i['subject']['name']}" for i in causes]
    right = bool(causes) and any(stories.matches(expected, causes[0]) for expected in story.expect)
    return {"ok": not causes if story.silent else right, "said": said}


def resolved_after(machine: Machine, story: stories.Story) -> float | None:
    """Mend the host; seconds until each expected incident is resolved, None where one stays open."""
    done = machine.run(story.mend, timeout=150, check=False)
    if done.returncode:
        raise RuntimeError(f"{story.name}: mending ended with {done.returncode}: {done.stdout}{done.stderr}")
    mended = time.monotonic()
    while time.monotonic() - mended < SOON:
        expected = [i for i in stories.incidents(machine) if any(stories.matches(e, i) for e in story.expect)]
        if expected and all(i["state"] == "resolved" for i in expected):
            return round(time.monotonic() - mended, 1)
        time.sleep(2)
    return None
