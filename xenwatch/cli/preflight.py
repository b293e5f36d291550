"""`xenwatch preflight`: whether a start or a migration can work, before it is tried; nothing is changed."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.cli._options import FORMAT
from xenwatch.cli._remediation import POLICY, findings_table, policy_path
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.checks import worst
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.open import read_policy
from xenwatch.remediation.policy.inventory import Guest, ManagedInventory
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.preflight.create import check_create
from xenwatch.remediation.preflight.migrate import check_migrate


@click.group(short_help="Can this guest start here, or move there?")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """Ask everything that is usually found out too late. Exit code 0: all holds, 1: something fails or is not known.

    \b
    Examples:
      xenwatch preflight create /etc/xen/web.cfg
      xenwatch preflight migrate web xen2
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)


@COMMAND.command()
@POLICY
@FORMAT
@click.argument("config", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def create(policy: Path | None, form: str, config: Path) -> None:
    """Whether a guest can be started from CONFIG: memory, name, kernel, disks, bridges, HVM."""
    file = policy_path(policy)
    read = read_policy(file) if file.exists() else Policy(ManagedInventory("dom0"))
    path = str(config.resolve())
    known = next((g for g in read.inventory.guests if g.config in (path, str(config))), None)
    guest = known or Guest(name=config.stem, uuid="", config=path)
    _report(asyncio.run(check_create(_context(read, guest, {}))), form)


@COMMAND.command()
@POLICY
@FORMAT
@click.argument("guest")
@click.argument("target")
def migrate(policy: Path | None, form: str, guest: str, target: str) -> None:
    """Whether GUEST can move to TARGET: P1 to P24, each with how it was learnt. It watches the guest for a minute."""
    file = policy_path(policy)
    read = read_policy(file)
    found = read.inventory.guest(Subject("domain", guest))
    if found is None:
        raise InputError(f"{guest} is not a [[guest]] of {file}")
    _report(asyncio.run(check_migrate(_context(read, found, {"to": target}))), form)


def _context(policy: Policy, guest: Guest, params: dict[str, str]) -> Context:
    machine = LocalMachine(policy.inventory)
    return Context(machine, SystemClock(), policy, guest.subject, guest, params, approved=True)


def _report(findings: Sequence[Finding], form: str) -> None:
    outcome = worst(findings)
    if form == "json":
        click.echo(json.dumps({"version": 1, "outcome": outcome, "findings": list(map(asdict, findings))}))
    else:
        words = {"pass": "all holds", "warn": "it can be done; see the warnings"}
        click.echo(f"{findings_table(findings)}\n{words.get(outcome, f'not now: {outcome}')}")
    sys.exit(outcome in ("fail", "unknown"))
