"""`xenwatch audit`: the run store of remediation, and whether anybody changed it."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import InputError, StoreError
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line
from xenwatch.cli._options import CONFIG, FORMAT
from xenwatch.cli._remediation import state_dir
from xenwatch.remediation.open import RUN_STORE
from xenwatch.remediation.record_check import anchor_problem, record_problems
from xenwatch.remediation.store import entries
from xenwatch.remediation.store.run_store import RunStore


@click.group(invoke_without_command=True, short_help="Print what remediation decided and did, and verify the record.")
@CONFIG
@FORMAT
@click.pass_context
def COMMAND(ctx: click.Context, config: Path | None, form: str) -> None:  # noqa: N802 - the registry's name
    """Print everything that remediation decided and did, oldest first.

    \b
    Examples:
      xenwatch audit
      xenwatch audit --format json | jq 'select(.kind == "intent")'
      xenwatch audit verify
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    ctx.obj = config
    if ctx.invoked_subcommand is not None:
        return
    store = _open(config)
    for entry in store.entries():
        if form == "json":
            click.echo(json.dumps(asdict(entry), sort_keys=True))
            continue
        when = datetime.fromtimestamp(entry.wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        what = f"{entry.old} -> {entry.new}" if entry.kind == "move" else entry.kind
        line = f"{entry.seq:6} {when}  {entry.run or '-':<21}  {what:<32}  {entry.actor}  {entry.reason}"
        click.echo(one_line(line))
    store.close()


_UNPROVEN = """Not proven: root of this host can write a whole record that agrees with itself. The agent says the head
of the record in its log and in every event it sends: compare with what syslog on another host or the receiver of the
events has kept, by `xenwatch audit verify --head HEAD`."""


@COMMAND.command()
@click.option("--head", "heads", multiple=True, metavar="SEQ:HASH", help="A head that was noted earlier elsewhere.")
@click.pass_context
def verify(ctx: click.Context, heads: tuple[str, ...]) -> None:
    """Verify the record: its hash chain, and whether runs, approvals and budgets agree with it.

    Exit code: 0 if it is complete, 1 if something was changed, removed or inserted, 2 if it cannot be verified.
    """
    try:
        store = _open(ctx.obj)
    except StoreError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    problems = store.read(record_problems)
    problems += [problem for head in heads if (problem := store.read(partial(anchor_problem, anchor=head)))]
    count, head, cut = len(store.entries()), store.read(entries.head), store.read(entries.pruned)
    store.close()
    for problem in problems:
        click.echo(one_line(problem), err=True)
    if problems:
        sys.exit(1)
    older = f"; those up to {cut.seq} were old and are deleted" if cut.seq else ""
    click.echo(f"complete: {count_text(count, 'entry', 'entries')}{older}")
    click.echo(f"head: {head}")
    if not heads:
        click.echo(_UNPROVEN)


def _open(config: Path | None) -> RunStore:
    path = state_dir(config) / RUN_STORE
    if not path.exists():
        raise InputError(f"{path}: there is no record of remediation yet")
    return RunStore(path, SystemClock(), f"audit-{os.getpid()}")
