"""A repair: a host out of order, what the installed agent and people do about it, and what must hold at the end."""

import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from machine import Machine

FOLDER = Path(__file__).parent / "repairs"
POLICY = FOLDER / "policy.toml"
_KINDS = ("run", "do", "refused", "ask")


@dataclass(frozen=True)
class Repair:
    """`before` and `holds` are shell scripts for dom0. Each step has one of the keys run, do, refused, ask.

    `run`: a run of that action comes by itself; `ask`: a person asks for it and another one consents (both must end
    as `ends` says within so many seconds); `refused`: asked for, it is refused with the words `says`; `do`: a script.
    """

    name: str
    title: str
    before: str
    steps: tuple[dict[str, Any], ...]
    holds: str


def load() -> list[Repair]:
    repairs = []
    for path in sorted(FOLDER.glob("*.yaml")):
        data = yaml.safe_load(path.read_text())
        if wrong := [step for step in data["steps"] if len(step.keys() & set(_KINDS)) != 1]:
            raise ValueError(f"{path}: a step has one of {', '.join(_KINDS)}: {wrong}")
        data["steps"] = tuple(data["steps"])
        repairs.append(Repair(path.stem, **data))
    return repairs


def mend(machine: Machine, repair: Repair, steps: list[tuple[str, float]]) -> None:
    """Break, go through the steps, see that it holds. AssertionError says what did not come out so.

    `steps` takes each step done and its seconds.
    """
    machine.run(repair.before, timeout=150)
    for step in repair.steps:
        began = time.monotonic()
        _take(machine, step)
        kind = next(kind for kind in _KINDS if kind in step)
        steps.append((f"{kind} {step[kind]}", round(time.monotonic() - began, 1)))
    held = machine.run(repair.holds, timeout=60, check=False)
    assert held.returncode == 0, f"{repair.name}: it does not hold: {repair.holds}: {held.stdout}{held.stderr}"
    assert "whole: " in machine.run("xenwatch audit verify", timeout=90).stdout


def _take(machine: Machine, step: dict[str, Any]) -> None:
    if "do" in step:
        machine.run(step["do"])
    elif "refused" in step:
        said = machine.run(f"xenwatch remediation run {step['refused']}", timeout=120, check=False)
        assert said.returncode, f"{step['refused']} was not refused: {said.stdout}"
        assert step["says"] in said.stdout + said.stderr, said.stdout + said.stderr
    elif "ask" in step:
        ended(machine, step, ask(machine, step["ask"]))
    else:
        ended(machine, step)


def ask(machine: Machine, what: str) -> str:
    """Ann asks, bob consents to the very plan he was shown: the run's id."""
    machine.run(f"SUDO_USER=ann xenwatch remediation run {what}", timeout=240)
    [run] = [r for r in runs(machine) if r["state"] == "awaiting_approval" and what.startswith(f"{r['action']} ")]
    consent = f"SUDO_USER=bob xenwatch remediation approve {run['id']} --plan-hash {shlex.quote(run['plan_hash'])}"
    machine.run(consent, timeout=90)
    return str(run["id"])


def runs(machine: Machine) -> list[dict[str, Any]]:
    """Every run the journal knows, oldest first."""
    found: list[dict[str, Any]] = json.loads(
        machine.run("xenwatch remediation list --all --format json", timeout=90).stdout
    )["runs"]
    return found


def ended(machine: Machine, step: dict[str, Any], run: str | None = None) -> None:
    """Wait until the run (or the last one of that action) has ended, and see that it ended as it should."""
    wanted, until = step["ends"], time.monotonic() + step["within"]
    while True:
        known = runs(machine)
        mine = [r for r in known if r["id"] == run or (run is None and r["action"] == step["run"])]
        state = mine[-1]["state"] if mine else "none"
        if state == wanted:
            return
        over = state in {"failed", "unknown", "aborted", "expired", "rejected", "cancelled", "succeeded"}
        assert not over, f"{step}: {mine[-1]}"
        assert time.monotonic() < until, f"{step}: still {state}; {known}; {machine.run('xenwatch audit').stdout}"
        time.sleep(2)
