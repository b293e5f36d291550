"""`xenwatch preflight`: whether a start or a migration can work, before it is tried; nothing is changed."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from xenwatch.cli._complete import guest_names
from xenwatch.cli._options import FORMAT
from xenwatch.cli._preflight import migratable, policy_or_none, startable
from xenwatch.cli._remediation import POLICY, findings_table, policy_path
from xenwatch.remediation.action import Finding
from xenwatch.remediation.checks import worst


@click.group(short_help="Check whether a guest can start here, or migrate to another host.")
def COMMAND() -> None:  # noqa: N802 - the registry's name
    """Check in advance whether a guest can start or migrate. Change nothing.

    Exit code: 0 if every check passes, 1 if one fails or its result is unknown.

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
    """Check whether a guest can be started from CONFIG: memory, name, kernel, disks, bridges, HVM."""
    _report(startable(policy_or_none(policy_path(policy)), config), form)


@COMMAND.command()
@POLICY
@FORMAT
@click.argument("guest", shell_complete=guest_names)
@click.argument("target")
def migrate(policy: Path | None, form: str, guest: str, target: str) -> None:
    """Check whether GUEST can migrate to TARGET.

    Prints the checks P1 to P24, each with the source of its result. It watches the guest for a minute.
    """
    _report(migratable(policy_path(policy), guest, target), form)


def _report(findings: Sequence[Finding], form: str) -> None:
    outcome = worst(findings)
    if form == "json":
        click.echo(json.dumps({"version": 1, "outcome": outcome, "findings": list(map(asdict, findings))}))
    else:
        verdicts = {"pass": "All checks pass.", "warn": "It can be done; read the warnings."}
        click.echo(f"{findings_table(findings)}\n{verdicts.get(outcome, f'It cannot be done now: {outcome}.')}")
    sys.exit(outcome in ("fail", "unknown"))
