"""`xenwatch policy`: whether the policy is valid, and what it would do about an incident."""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.base.plurals import count_text
from xenwatch.cli._options import CONFIG
from xenwatch.cli._remediation import POLICY, effects_socket, findings_table, machine_of, policy_path, with_service
from xenwatch.config.assembly import load_rules
from xenwatch.config.loader import load_config
from xenwatch.diagnosis.rules.aliases import present_ids
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.action import Trigger
from xenwatch.model.serialize import subject_from_json
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Context
from xenwatch.remediation.open import read_policy
from xenwatch.remediation.policy.inventory import selects
from xenwatch.remediation.policy.policy import Policy, PolicyRule
from xenwatch.remediation.possible import Failure, impossible, only_told
from xenwatch.remediation.registry import load_catalogue
from xenwatch.remediation.service import RemediationService


@click.group(short_help="Check the policy, or try it on an incident.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """Check the policy of remediation, and show what it would do about an incident.

    \b
    Examples:
      xenwatch policy check
      xenwatch incidents show 9c9708c7f606 --format json > incident.json
      xenwatch policy test --incident incident.json
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)


@COMMAND.command()
@POLICY
@CONFIG
def check(policy: Path | None, config: Path | None) -> None:
    """Read the policy and show every mistake with its line.

    What can never happen is shown too: rules that apply to no guest or name no existing failure, actions that cannot
    act on what their failures are about, and what this host does not have, such as a service or a configuration file.
    """
    path = policy_path(policy, config)
    read, known_rules = read_policy(path), load_rules(load_config(config, dict(os.environ)).config)
    present = present_ids(known_rules)
    names = _failure_names(known_rules, present)
    rules, guests = count_text(len(read.rules), "rule"), count_text(len(read.inventory.guests), "guest")
    failures = [Failure(rule.id, rule.class_, rule.subject) for rule in known_rules]
    missing = asyncio.run(_missing_here(read))
    click.echo(f"{path}: mode {read.mode}, {rules}, {guests}")
    effects = effects_socket(load_config(config, dict(os.environ)).config)
    if effects is not None and (reason := asyncio.run(effects.refusal())) is not None:
        click.echo(f"  warning: {reason}", err=True)
    for rule in read.rules:
        _show(read, rule, failures)
        mistakes = (
            *_unknown_failures(rule, names),
            *_former_ids(rule, present),
            *impossible(rule, read.inventory, load_catalogue(), failures),
            *missing[rule.name],
        )
        for mistake in mistakes:
            click.echo(f"  warning: {rule.name}: {mistake}", err=True)


def _show(policy: Policy, rule: PolicyRule, failures: Sequence[Failure]) -> None:
    actions = [load_catalogue()[rung.action] for rung in rule.ladder]
    sides = {action.of_pool for action in actions if not action.message_only} or {False, True}
    selected = [
        g.name for g in policy.inventory.guests if bool(g.pool) in sides and selects(rule.selectors, g.subject, g)
    ]
    steps = " then ".join(rung.action for rung in rule.ladder)
    click.echo(f"  {rule.name}: {policy.effective(rule)}; {steps}; guests: {', '.join(selected) or 'none'}")
    if told := only_told(rule, load_catalogue(), failures):
        click.echo(f"    does nothing about {', '.join(told)}: its actions act on other kinds of things")
    if not rule.selectors:
        click.echo(f"  warning: {rule.name} has no selector, so it applies to no guest", err=True)


async def _missing_here(policy: Policy) -> dict[str, list[str]]:
    """By rule: what its actions name and this host does not have."""
    actions, machine, clock = load_catalogue(), machine_of(policy), SystemClock()
    here = Subject("host", policy.inventory.here)
    found: dict[str, list[str]] = {rule.name: [] for rule in policy.rules}
    for name, rung in ((rule.name, rung) for rule in policy.rules for rung in rule.ladder):
        exists = actions[rung.action].exists
        if exists is None:
            continue
        try:
            finding = await exists(Context(machine, clock, policy, here, None, rung.params))
        except InputError as error:
            found[name].append(f"{rung.action} can never happen: {error}")
            continue
        if finding.outcome == "fail":
            found[name].append(f"{rung.action} can never happen on this host: {finding.detail}")
    return found


@COMMAND.command("test")
@POLICY
@CONFIG
@click.option(
    "--incident",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="Incident as JSON, as `xenwatch incidents show --format json` prints it.",
)
def test_(policy: Path | None, config: Path | None, incident: Path) -> None:
    """Print the plan for an incident and the guard that would stop it. Change nothing."""
    trigger = _trigger(incident)

    async def work(service: RemediationService) -> str:
        draft = await service.draft(trigger)
        stop = await service.dry_run(draft)
        lines = [f"{trigger.name} of {trigger.target}"]
        if draft.proposal is not None:
            lines.append(f"rule {draft.proposal.rule}: {draft.proposal.action}, {draft.proposal.mode}")
        lines += [findings_table(draft.findings), "plan:", *(f"  {step}" for step in draft.plan)]
        lines.append(f"stopped by {stop.guard}: {stop.reason}" if stop else "no guard would stop it")
        return "\n".join(line for line in lines if line)

    click.echo(with_service(policy, config, work))


def _failure_names(rules: Sequence[Rule], present: Mapping[str, str]) -> dict[str, set[str]]:
    """Classes and ids of all failures that the rules recognise, as the `when` of a policy rule names them."""
    return {"class": {rule.class_ for rule in rules}, "diagnosis": {rule.id for rule in rules} | present.keys()}


def _former_ids(rule: PolicyRule, present: Mapping[str, str]) -> Iterator[str]:
    """Former ids of failures in a rule: they still work, but the policy should name the present ones."""
    blockers = (name for kind, _, name in (b.partition(":") for b in rule.blocked_by) if kind == "diagnosis")
    for former in dict.fromkeys((rule.diagnosis, *blockers)):
        if former in present:
            yield f"the diagnosis {former} is now called {present[former]}"


def _unknown_failures(rule: PolicyRule, names: Mapping[str, set[str]]) -> Iterator[str]:
    """Classes and ids in the `when` of a rule that no failure has: the rule would never act."""
    for key, name in (("class", rule.class_), ("diagnosis", rule.diagnosis)):
        if name and name not in names[key]:
            near = get_close_matches(name, sorted(names[key]), 1)
            yield f"no known failure has the {key} {name}" + (f"; did you mean {near[0]}?" if near else "")


def _trigger(path: Path) -> Trigger:
    try:
        content: Any = json.loads(path.read_text("utf-8"))
        incident = content.get("incident", content)
        target = subject_from_json(incident["subject"])
        return Trigger(
            "incident",
            str(incident["rule"]),
            target,
            str(incident.get("id", path.name)),
            "test",
            str(incident.get("class", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InputError(
            f"{path} is not an incident as `xenwatch incidents show --format json` prints it: {error}"
        ) from error
