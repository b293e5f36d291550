"""Findings and verdicts about a guest that several actions share."""

import json
from collections.abc import Iterable
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Context, Finding, Outcome, Verdict
from xenwatch.remediation.machine.port import Answer, name_of
from xenwatch.remediation.machine.presence import ListedDomain
from xenwatch.remediation.policy.inventory import HERE


def finding(check: str, holds: bool | None, detail: str, source: str = "") -> Finding:
    """A finding that passes, fails, or is unknown (None)."""
    outcome: Outcome = "unknown" if holds is None else "pass" if holds else "fail"
    return Finding(check, outcome, detail, source)


async def absent_everywhere(context: Context) -> Finding:
    """Required before a start: the guest is absent on every host it may run on."""
    proof = await context.absence_proof()
    holds = {"absent": True, "running": False}.get(proof.presence)
    return finding("location", holds, proof.reason, "xl list -v on every host of the placement")


async def absent_elsewhere(context: Context) -> Finding:
    """Required before an unpause or a resume: the guest is absent on every other host."""
    proof = await context.absence_proof(elsewhere=True)
    holds = {"absent": True, "running": False}.get(proof.presence)
    return finding("location", holds, proof.reason, "xl list -v on every other host of the placement")


async def state_finding(context: Context, states: str, what: str) -> tuple[ListedDomain | None, Finding]:
    """The guest's only domain here, and whether its state has any of the letters `states`."""
    rows = await context.copies()
    if rows is None:
        return None, Finding("state", "unknown", "the toolstack does not list the domains", "xl list -v")
    if len(rows) != 1 or rows[0].name != context.managed_guest.name:
        names = ", ".join(row.name for row in rows) or "none"
        return None, Finding(
            "state",
            "fail",
            f"there must be exactly one domain {context.managed_guest.name}; found: {names}",
            "xl list -v",
        )
    row = rows[0]
    fits = any(letter in row.state for letter in states)
    return row, finding("state", fits, f"{row.name} is {row.state}; it must be {what}", "xl list -v")


def storage_lease(context: Context) -> Finding:
    """Nothing in xl prevents a start on a second host that shares the storage; something else must."""
    guest = context.managed_guest
    if not guest.shared_storage:
        return Finding("storage lease", "pass", "the storage is local to this host", "policy")
    if guest.lease == "":
        return Finding(
            "storage lease",
            "fail",
            'the storage is shared and has no lease; name one, or write lease = "none" to accept that',
            "policy",
        )
    return Finding("storage lease", "pass", f"the storage is shared, its lease is {guest.lease}", "policy")


def desired_state(context: Context) -> Finding:
    """Whether the policy, or a person who approved, wants the guest to run."""
    guest = context.managed_guest
    wanted = guest.desired == "running" or context.approved
    return finding("desired", wanted, f"the policy wants {guest.name} to be {guest.desired}", "policy")


async def absence_verdict(context: Context) -> Verdict:
    """The goal of a shutdown or destroy: the guest is proven absent."""
    proof = await context.absence_proof()
    return Verdict({"absent": True, "running": False}.get(proof.presence), proof.reason)


async def running_verdict(context: Context) -> Verdict:
    """The goal of a start: one domain, running or blocked, and every health probe answers."""
    rows = await context.copies()
    if rows is None:
        return Verdict(None, "the toolstack does not list the domains")
    row = rows[0] if len(rows) == 1 else None
    if row is None or row.name != context.managed_guest.name:
        return Verdict(False, f"{context.managed_guest.name} is not running here")
    if not set("rb") & set(row.state) and set("pscd") & set(row.state):
        return Verdict(False, f"{row.name} is {row.state}")
    return await health_verdict(context)


async def health_verdict(context: Context) -> Verdict:
    """Whether the guest itself answers: `tcp:<port>` and `icmp` to its address."""
    guest = context.managed_guest
    for probe in guest.health:
        kind, _, port = probe.partition(":")
        if not guest.address:
            raise InputError(f"{guest.name} has health probes but no address")
        if kind == "tcp":
            answers = await context.machine.connect(guest.address, int(port), 3.0)
        elif kind == "icmp":
            answers = (await context.read("ping", "-c", "1", "-W", "2", "--", name_of(guest.address, "an address"))).ok
        else:
            raise InputError(f"{probe} is not a health probe; write tcp:<port> or icmp")
        if not answers:
            return Verdict(False, f"{guest.name} does not answer {probe}")
    return Verdict(True, f"{guest.name} runs" + (f" and answers {', '.join(guest.health)}" if guest.health else ""))


def json_of(answer: Answer) -> Any:
    """The JSON in an answer; None where it is missing or incomplete."""
    try:
        return json.loads(answer.out) if answer.ok else None
    except ValueError:
        return None


async def dom0_free_mib(context: Context, folder: str, host: str = HERE) -> int | None:
    """Free space of the file system that holds a folder; None: unknown."""
    answer = await context.read("df", "--output=avail", "-m", "--", folder, host=host)
    words = answer.out.split()
    return int(words[-1]) if answer.ok and words and words[-1].isdigit() else None


async def backend_listing(context: Context, host: str = HERE) -> str | None:
    """Xenstore's nodes of every backend in dom0, one a line; None: unknown.

    The whole directory of dom0 is read: the one of its backends does not exist before the first guest has had one.
    """
    answer = await context.read("xenstore-ls", "-f", "/local/domain/0", host=host)
    lines = answer.out.splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith("/local/domain/0/backend/")) if answer.ok else None


def worst(findings: Iterable[Finding]) -> Outcome:
    """The outcome of several findings together."""
    order: tuple[Outcome, ...] = ("fail", "unknown", "warn", "pass")
    return min((finding.outcome for finding in findings), key=order.index, default="pass")
