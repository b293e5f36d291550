"""`xenwatch remediation`: what is proposed, underway and done; consent, refusal, the kill switch."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from xenwatch.base.durations import parse_duration
from xenwatch.base.errors import InputError
from xenwatch.cli._options import CONFIG, FORMAT
from xenwatch.cli._remediation import POLICY, findings_table, pairs, person, subject_of, with_desk
from xenwatch.model.action import PENDING, ActionRun
from xenwatch.remediation.service import RemediationService
from xenwatch.web.remediation_api import run_json

_REASON = click.option("--reason", required=True, help="Why; it is kept in the journal.")


@click.group(short_help="Proposals, runs, consent, kill switch.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """What xenwatch proposes to do, does and did.

    \b
    Examples:
      xenwatch remediation list
      xenwatch remediation approve 018bcfe5
      xenwatch remediation run domain_start web --dry-run
      xenwatch remediation off --reason 'storage work'
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)


@COMMAND.command("list")
@POLICY
@CONFIG
@FORMAT
@click.option("--all", "every", is_flag=True, help="Ended runs too.")
def list_(policy: Path | None, config: Path | None, form: str, every: bool) -> None:
    """Runs, oldest first."""

    async def work(desk: RemediationService) -> list[ActionRun]:
        return [run for run in await desk.runs() if every or run.state == "unknown" or not run.is_ended]

    runs = with_desk(policy, config, work)
    if form == "json":
        click.echo(json.dumps({"version": 1, "runs": list(map(run_json, runs))}))
        return
    click.echo("\n".join(map(_row, runs)) or "nothing is proposed or underway")


@COMMAND.command()
@POLICY
@CONFIG
@FORMAT
@click.argument("run")
def show(policy: Path | None, config: Path | None, form: str, run: str) -> None:
    """One run: its plan, and its journal."""

    async def work(desk: RemediationService) -> str:
        found = await desk.run(run)
        if form == "json":
            journal = [asdict(entry) for entry in await desk.entries(found.id)]
            return json.dumps({"version": 1, "run": run_json(found), "journal": journal})
        lines = [_row(found), f"plan {found.proposal.plan_hash}:", *(f"  {step}" for step in found.proposal.plan)]
        for entry in await desk.entries(found.id):
            what = f"{entry.old} -> {entry.new}" if entry.kind == "move" else entry.kind
            lines.append(f"{_time(entry.wall)}  {what:<32}  {entry.actor}  {entry.reason}")
        return "\n".join(lines)

    click.echo(with_desk(policy, config, work))


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("run")
@click.option("--plan-hash", help="Hash of the plan as you saw it; asked for where it is not given.")
def approve(policy: Path | None, config: Path | None, run: str, plan_hash: str | None) -> None:
    """Consent to a plan, once; the agent starts it within seconds."""

    async def work(desk: RemediationService) -> ActionRun:
        found = await desk.run(run)
        if plan_hash is None:
            click.echo("\n".join([_row(found), *(f"  {step}" for step in found.proposal.plan)]))
            click.confirm("Carry out this plan?", abort=True)
        return await desk.approve(found.id, person(), plan_hash or found.proposal.plan_hash)

    click.echo(f"approved: {with_desk(policy, config, work).id}")


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("run")
@_REASON
def reject(policy: Path | None, config: Path | None, run: str, reason: str) -> None:
    """Say no to a proposal."""
    click.echo(_row(with_desk(policy, config, lambda desk: desk.reject(run, person(), reason))))


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("run")
@click.option("--succeeded/--failed", "succeeded", required=True, help="What you found.")
@_REASON
def settle(policy: Path | None, config: Path | None, run: str, succeeded: bool, reason: str) -> None:
    """Say how a run of unknown outcome ended, after you looked."""
    click.echo(_row(with_desk(policy, config, lambda desk: desk.settle_unknown(run, person(), succeeded, reason))))


@COMMAND.command("run")
@POLICY
@CONFIG
@click.argument("action")
@click.argument("target")
@click.argument("params", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Check and print the plan; write nothing.")
def run_(
    policy: Path | None, config: Path | None, action: str, target: str, params: tuple[str, ...], dry_run: bool
) -> None:
    """Ask for ACTION of TARGET (web, domain/web, host, lv/vg0/data) with PARAMS (key=value).

    It is proposed; `approve` starts it. Where the policy asks for four eyes somebody else must approve.
    """

    async def work(desk: RemediationService) -> str:
        draft = await desk.draft_request(action, subject_of(target), pairs(params), person())
        lines = [findings_table(draft.findings), "plan:", *(f"  {step}" for step in draft.plan)]
        if dry_run:
            stop = await desk.dry_run(draft, as_approved=True)
            return "\n".join([*lines, f"stopped by {stop.guard}: {stop.reason}" if stop else "no guard would stop it"])
        if draft.refusal is not None:
            raise InputError(f"{draft.refusal.guard}: {draft.refusal.reason}")
        run = await desk.request(action, subject_of(target), pairs(params), person())
        return "\n".join([*lines, f"proposed as {run.id}; start it with: xenwatch remediation approve {run.id}"])

    click.echo(with_desk(policy, config, work))


@COMMAND.command()
@POLICY
@CONFIG
@_REASON
def off(policy: Path | None, config: Path | None, reason: str) -> None:
    """Turn all remediation off; it stays off over restarts. What is underway ends as it would."""
    with_desk(policy, config, lambda desk: desk.turn(True, person(), reason))
    click.echo("remediation is off")


@COMMAND.command()
@POLICY
@CONFIG
@_REASON
def on(policy: Path | None, config: Path | None, reason: str) -> None:
    """Turn remediation on again."""
    with_desk(policy, config, lambda desk: desk.turn(False, person(), reason))
    click.echo("remediation is on")


@COMMAND.command("close-breaker")
@POLICY
@CONFIG
@_REASON
def close_breaker(policy: Path | None, config: Path | None, reason: str) -> None:
    """Let runs start again after several in a row failed."""
    with_desk(policy, config, lambda desk: desk.close_breaker(person(), reason))
    click.echo("the breaker is closed")


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("scope")
@click.option("--for", "seconds", required=True, help="How long, such as 2h; 0s ends it.")
@_REASON
def maintenance(policy: Path | None, config: Path | None, scope: str, seconds: str, reason: str) -> None:
    """No automatic action on SCOPE (all, host/NAME, domain/UUID) for a while."""
    length = parse_duration(seconds)
    with_desk(policy, config, lambda desk: desk.maintain(scope, person().removeprefix("human:"), reason, length))
    click.echo(f"maintenance of {scope}: {seconds}")


def _row(run: ActionRun) -> str:
    told = run.proposal
    waits = "  (waits for a person)" if run.state in PENDING and told.needs_approval else ""
    said = f"  {run.reason}" if run.reason else ""
    return f"{run.id}  {_time(run.wall)}  {told.action} of {told.target}  {told.risk}  {run.state}{waits}{said}"


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
