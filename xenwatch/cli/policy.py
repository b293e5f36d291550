"""`xenwatch policy`: whether the policy is sound, and what it would do about an incident."""

import json
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from xenwatch.base.errors import InputError
from xenwatch.cli._options import CONFIG
from xenwatch.cli._remediation import POLICY, findings_table, policy_path, with_desk
from xenwatch.config.assembly import load_rules
from xenwatch.config.loader import load_config
from xenwatch.model.action import Trigger
from xenwatch.model.subject import Subject
from xenwatch.remediation.open import read_policy
from xenwatch.remediation.policy.inventory import selects
from xenwatch.remediation.policy.policy import PolicyRule
from xenwatch.remediation.service import RemediationService


@click.group(short_help="Check the policy; try it on an incident.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """What may be done on its own, and to whom.

    \b
    Examples:
      xenwatch policy check
      xenwatch incidents show i-12ab --format json > incident.json; xenwatch policy test --incident incident.json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)


@COMMAND.command()
@POLICY
@CONFIG
def check(policy: Path | None, config: Path | None) -> None:
    """Read the policy; every mistake is shown with its line. A rule for nobody, or for no known failure, is shown."""
    path = policy_path(policy, config)
    read, known = read_policy(path), _known(config)
    click.echo(f"{path}: mode {read.mode}, {len(read.rules)} rules, {len(read.inventory.guests)} guests")
    for rule in read.rules:
        guests = [g.name for g in read.inventory.guests if selects(rule.selectors, g.subject, g)]
        steps = " then ".join(rung.action for rung in rule.ladder)
        click.echo(f"  {rule.name}: {read.effective(rule)}; {steps}; guests: {', '.join(guests) or 'none'}")
        if not rule.selectors:
            click.echo(f"  warning: {rule.name} has no selector: it is for nobody", err=True)
        for wrong in _unheard_of(rule, known):
            click.echo(f"  warning: {rule.name}: {wrong}", err=True)


@COMMAND.command("test")
@POLICY
@CONFIG
@click.option("--incident", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="JSON.")
def test_(policy: Path | None, config: Path | None, incident: Path) -> None:
    """Print the plan for an incident and which guard would stop it. Nothing is written."""
    trigger = _trigger(incident)

    async def work(desk: RemediationService) -> str:
        draft = await desk.draft(trigger)
        stop = await desk.dry_run(draft)
        lines = [f"{trigger.name} of {trigger.target}"]
        if draft.proposal is not None:
            lines.append(f"rule {draft.proposal.rule}: {draft.proposal.action}, {draft.proposal.mode}")
        lines += [findings_table(draft.findings), "plan:", *(f"  {step}" for step in draft.plan)]
        lines.append(f"stopped by {stop.guard}: {stop.reason}" if stop else "no guard would stop it")
        return "\n".join(line for line in lines if line)

    click.echo(with_desk(policy, config, work))


def _known(config: Path | None) -> dict[str, set[str]]:
    """What the known failures are called, as a rule's `when` names them."""
    rules = load_rules(load_config(config, dict(os.environ)).config)
    return {"class": {one.class_ for one in rules}, "diagnosis": {one.id for one in rules}}


def _unheard_of(rule: PolicyRule, known: Mapping[str, set[str]]) -> Iterator[str]:
    """What a rule waits for that no known failure is called: it would wait for ever."""
    for what, word in (("class", rule.class_), ("diagnosis", rule.diagnosis)):
        if word and word not in known[what]:
            near = get_close_matches(word, sorted(known[what]), 1)
            yield f"no known failure has the {what} {word}" + (f"; did you mean {near[0]}?" if near else "")


def _trigger(path: Path) -> Trigger:
    try:
        said: Any = json.loads(path.read_text("utf-8"))
        said = said.get("incident", said)
        subject = said["subject"]
        target = Subject(str(subject["kind"]), str(subject["name"]), subject.get("uuid"))
        return Trigger(
            "incident", str(said["rule"]), target, str(said.get("id", path.name)), "test", str(said.get("class", ""))
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InputError(
            f"{path}: not an incident as `xenwatch incidents show --format json` prints it: {error}"
        ) from error
