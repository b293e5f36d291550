"""Runs the checks of a start or a migration, for the command and for assistants; nothing is changed."""

import asyncio
from pathlib import Path

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError
from xenwatch.cli._remediation import machine_of
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Context, Finding
from xenwatch.remediation.open import read_policy
from xenwatch.remediation.policy.inventory import Guest, ManagedInventory
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.preflight.create import check_create
from xenwatch.remediation.preflight.migrate import check_migrate


def policy_or_none(file: Path) -> Policy:
    """The policy, or one that manages nothing where there is no such file: a start can be checked without."""
    return read_policy(file) if file.exists() else Policy(ManagedInventory("dom0"))


def startable(policy: Policy, config: Path) -> list[Finding]:
    """Whether a guest can be started from this file."""
    path = str(config.resolve())
    listed = next((g for g in policy.inventory.guests if g.config in (path, str(config))), None)
    guest = listed or Guest(name=config.stem, uuid="", config=path)
    return asyncio.run(check_create(_context(policy, guest, {})))


def migratable(file: Path, guest: str, target: str) -> list[Finding]:
    """Whether a guest of the policy in `file` can migrate. It takes a minute."""
    policy = read_policy(file)
    listed = policy.inventory.guest(Subject("domain", guest))
    if listed is None:
        raise InputError(f"{file} has no [[guest]] with the name {guest}")
    return asyncio.run(check_migrate(_context(policy, listed, {"to": target})))


def _context(policy: Policy, guest: Guest, params: dict[str, str]) -> Context:
    return Context(machine_of(policy), SystemClock(), policy, guest.subject, guest, params, approved=True)
