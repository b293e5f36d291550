"""Findings and verdicts about a guest that several actions share."""

import json
from collections.abc import Iterable
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Context, Finding, Outcome, Verdict
from xenwatch.remediation.machine.port import Answer, name_of
from xenwatch.remediation.machine.presence import ListedDomain
from xenwatch.remediation.policy.inventory import HERE


def passes(check: str, holds: bool | None, detail: str, learnt: str = "") -> Finding:
    """A finding from a yes, a no, or a cannot-tell."""
    outcome: Outcome = "unknown" if holds is None else "pass" if holds else "fail"
    return Finding(check, outcome, detail, learnt)


async def nowhere(context: Context) -> Finding:
    """The proof before a start: absent on every host it may run on."""
    proof = await context.proof()
    holds = {"absent": True, "running": False}.get(proof.presence)
    return passes("location", holds, proof.reason, "xl list -v on every host of the placement")


async def nowhere_else(context: Context) -> Finding:
    """The proof before an unpause or a resume: absent on every other host."""
    proof = await context.proof(elsewhere=True)
    holds = {"absent": True, "running": False}.get(proof.presence)
    return passes("location", holds, proof.reason, "xl list -v on every other host of the placement")


async def one_row(context: Context, states: str, what: str) -> tuple[ListedDomain | None, Finding]:
    """The guest's one row here, and whether its state has any of the letters `states`."""
    rows = await context.sighted()
    if rows is None:
        return None, Finding("state", "unknown", "the toolstack does not list the domains", "xl list -v")
    if len(rows) != 1 or rows[0].name != context.known.name:
        names = ", ".join(row.name for row in rows) or "none"
        return None, Finding("state", "fail", f"not exactly one domain is {context.known.name}: {names}", "xl list -v")
    row = rows[0]
    fits = any(letter in row.state for letter in states)
    return row, passes("state", fits, f"{row.name} is {row.state}; it must be {what}", "xl list -v")


def storage_lease(context: Context) -> Finding:
    """Nothing in xl stops a start on a second host that shares the storage; something else must."""
    guest = context.known
    if not guest.shared_storage:
        return Finding("storage lease", "pass", "the storage is this host's own", "policy")
    if guest.lease == "":
        return Finding(
            "storage lease", "fail", 'shared storage without a lease; name one, or acknowledge lease = "none"', "policy"
        )
    return Finding("storage lease", "pass", f"shared storage, lease {guest.lease}", "policy")


def may_run(context: Context) -> Finding:
    """What the policy wants of the guest, or a person who approved."""
    guest = context.known
    wanted = guest.desired == "running" or context.approved
    return passes("desired", wanted, f"{guest.name} is meant to be {guest.desired}", "policy")


async def absent(context: Context) -> Verdict:
    """The goal of a shutdown or destroy: proven gone from this host."""
    proof = await context.proof()
    return Verdict({"absent": True, "running": False}.get(proof.presence), proof.reason)


async def serving(context: Context) -> Verdict:
    """The goal of a start: one row, running or blocked, and every health probe answers."""
    rows = await context.sighted()
    if rows is None:
        return Verdict(None, "the toolstack does not list the domains")
    row = rows[0] if len(rows) == 1 else None
    if row is None or row.name != context.known.name:
        return Verdict(False, f"{context.known.name} is not running here")
    if not set("rb") & set(row.state) and set("pscd") & set(row.state):
        return Verdict(False, f"{row.name} is {row.state}")
    return await healthy(context)


async def healthy(context: Context) -> Verdict:
    """Whether the guest itself answers: `tcp:<port>` and `icmp` to its address."""
    guest = context.known
    for probe in guest.health:
        kind, _, port = probe.partition(":")
        if not guest.address:
            raise InputError(f"{guest.name} has health probes but no address")
        if kind == "tcp":
            answers = await context.machine.connect(guest.address, int(port), 3.0)
        elif kind == "icmp":
            answers = (await context.read("ping", "-c", "1", "-W", "2", "--", name_of(guest.address, "an address"))).ok
        else:
            raise InputError(f"{probe} is no health probe; write tcp:<port> or icmp")
        if not answers:
            return Verdict(False, f"{guest.name} does not answer {probe}")
    return Verdict(True, f"{guest.name} runs" + (f" and answers {', '.join(guest.health)}" if guest.health else ""))


def parsed(answer: Answer) -> Any:
    """JSON in an answer; None where there is no whole answer."""
    try:
        return json.loads(answer.out) if answer.ok else None
    except ValueError:
        return None


async def dom0_free_mib(context: Context, folder: str, host: str = HERE) -> int | None:
    """Free space of the file system a folder lies on; None: unknown."""
    answer = await context.read("df", "--output=avail", "-m", "--", folder, host=host)
    words = answer.out.split()
    return int(words[-1]) if answer.ok and words and words[-1].isdigit() else None


async def backends(context: Context, host: str = HERE) -> str | None:
    """What xenstore tells of every backend in dom0, a line a node; None: unknown.

    dom0's whole folder is read, for that of its backends does not exist before the first guest has had one.
    """
    answer = await context.read("xenstore-ls", "-f", "/local/domain/0", host=host)
    lines = answer.out.splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith("/local/domain/0/backend/")) if answer.ok else None


def worst(findings: Iterable[Finding]) -> Outcome:
    """The outcome of several findings together."""
    order: tuple[Outcome, ...] = ("fail", "unknown", "warn", "pass")
    return min((finding.outcome for finding in findings), key=order.index, default="pass")
