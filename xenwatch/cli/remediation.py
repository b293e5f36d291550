"""`xenwatch remediation`: proposals and runs; approval, rejection, the kill switch."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from xenwatch.base.durations import parse_duration
from xenwatch.base.errors import InputError
from xenwatch.base.printed_text import one_line
from xenwatch.cli._options import CONFIG, FORMAT
from xenwatch.cli._remediation import POLICY, findings_table, key_values, person, subject_of, with_service
from xenwatch.model.action import PENDING, ActionRun
from xenwatch.remediation.service import RemediationService
from xenwatch.web.remediation_api import run_json

_REASON = click.option("--reason", required=True, help="Reason; it is kept in the record.")


@click.group(short_help="List, approve and reject proposals; switch remediation off and on.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """Show what xenwatch proposes, does and did; approve, reject, or switch it off.

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
@click.option("--all", "every", is_flag=True, help="Show ended runs too.")
def list_(policy: Path | None, config: Path | None, form: str, every: bool) -> None:
    """List runs, oldest first."""

    async def work(service: RemediationService) -> list[ActionRun]:
        return [run for run in await service.runs() if every or run.state == "unknown" or not run.is_ended]

    runs = with_service(policy, config, work)
    if form == "json":
        click.echo(json.dumps({"version": 1, "runs": list(map(run_json, runs))}))
        return
    click.echo("\n".join(map(_row, runs)) or "Nothing is proposed or in progress.")


@COMMAND.command()
@POLICY
@CONFIG
@FORMAT
@click.argument("run")
def show(policy: Path | None, config: Path | None, form: str, run: str) -> None:
    """Show one run: its plan and its record."""

    async def work(service: RemediationService) -> str:
        record = await service.run(run)
        if form == "json":
            journal = [asdict(entry) for entry in await service.entries(record.id)]
            return json.dumps({"version": 1, "run": run_json(record), "journal": journal})
        lines = [_row(record), one_line(f"plan {record.proposal.plan_hash}:"), *_steps(record.proposal.plan)]
        for entry in await service.entries(record.id):
            what = f"{entry.old} -> {entry.new}" if entry.kind == "move" else entry.kind
            lines.append(one_line(f"{_time(entry.wall)}  {what:<32}  {entry.actor}  {entry.reason}"))
        return "\n".join(lines)

    click.echo(with_service(policy, config, work))


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("run")
@click.option("--plan-hash", help="Hash of the plan that you read. Without it, the plan is shown and you are asked.")
def approve(policy: Path | None, config: Path | None, run: str, plan_hash: str | None) -> None:
    """Approve a plan. The agent starts it within seconds."""

    async def work(service: RemediationService) -> ActionRun:
        record = await service.run(run)
        if plan_hash is None:
            click.echo("\n".join([_row(record), *_steps(record.proposal.plan)]))
            click.confirm("Carry out this plan?", abort=True)
        return await service.approve(record.id, person(), plan_hash or record.proposal.plan_hash)

    click.echo(f"approved: {with_service(policy, config, work).id}")


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("run")
@_REASON
def reject(policy: Path | None, config: Path | None, run: str, reason: str) -> None:
    """Reject a proposal."""
    click.echo(_row(with_service(policy, config, lambda service: service.reject(run, person(), reason))))


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("run")
@click.option("--succeeded/--failed", "succeeded", required=True, help="How the run ended.")
@_REASON
def settle(policy: Path | None, config: Path | None, run: str, succeeded: bool, reason: str) -> None:
    """Record how a run with an unknown outcome ended, after you checked."""
    click.echo(
        _row(with_service(policy, config, lambda service: service.settle_unknown(run, person(), succeeded, reason)))
    )


@COMMAND.command("run")
@POLICY
@CONFIG
@click.argument("action")
@click.argument("target")
@click.argument("params", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Check and print the plan; change nothing.")
def run_(
    policy: Path | None, config: Path | None, action: str, target: str, params: tuple[str, ...], dry_run: bool
) -> None:
    """Propose ACTION on TARGET (web, domain/web, host, lv/vg0/data) with PARAMS (key=value).

    `approve` starts it. If the policy requires four eyes, another person must approve it.
    """

    async def work(service: RemediationService) -> str:
        draft = await service.draft_request(action, subject_of(target), key_values(params), person())
        lines = [findings_table(draft.findings), "plan:", *_steps(draft.plan)]
        if dry_run:
            stop = await service.dry_run(draft, as_approved=True)
            return "\n".join([*lines, f"stopped by {stop.guard}: {stop.reason}" if stop else "no guard would stop it"])
        if draft.refusal is not None:
            raise InputError(f"{draft.refusal.guard}: {draft.refusal.reason}")
        run = await service.request(action, subject_of(target), key_values(params), person())
        return "\n".join([*lines, f"proposed as {run.id}; start it with: xenwatch remediation approve {run.id}"])

    click.echo(with_service(policy, config, work))


@COMMAND.command()
@POLICY
@CONFIG
@_REASON
def off(policy: Path | None, config: Path | None, reason: str) -> None:
    """Switch all remediation off. It stays off after a restart; runs in progress finish."""
    with_service(policy, config, lambda service: service.turn(True, person(), reason))
    click.echo("remediation is off")


@COMMAND.command()
@POLICY
@CONFIG
@_REASON
def on(policy: Path | None, config: Path | None, reason: str) -> None:
    """Switch remediation on again."""
    with_service(policy, config, lambda service: service.turn(False, person(), reason))
    click.echo("remediation is on")


@COMMAND.command("close-breaker")
@POLICY
@CONFIG
@_REASON
def close_breaker(policy: Path | None, config: Path | None, reason: str) -> None:
    """Allow runs again after the circuit breaker opened because several in a row failed."""
    with_service(policy, config, lambda service: service.close_breaker(person(), reason))
    click.echo("the breaker is closed")


@COMMAND.command()
@POLICY
@CONFIG
@click.argument("scope")
@click.option("--for", "seconds", required=True, help="Length of the maintenance, such as 2h; 0s ends it now.")
@_REASON
def maintenance(policy: Path | None, config: Path | None, scope: str, seconds: str, reason: str) -> None:
    """Allow no automatic action on SCOPE (all, host/NAME, domain/UUID) for a while."""
    length = parse_duration(seconds)
    with_service(
        policy, config, lambda service: service.maintain(scope, person().removeprefix("human:"), reason, length)
    )
    click.echo(f"maintenance of {scope}: {seconds}")


def _row(run: ActionRun) -> str:
    proposal = run.proposal
    waits = "waits for a person" if run.state in PENDING and proposal.needs_approval else ""
    reason = f"  {run.reason or waits}" if run.reason or waits else ""
    what = f"{proposal.action} on {proposal.target}  {proposal.risk}"
    return one_line(f"{run.id}  {_time(run.wall)}  {what}  {run.state}{reason}")


def _steps(plan: Sequence[str]) -> list[str]:
    return [f"  {one_line(step)}" for step in plan]


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
