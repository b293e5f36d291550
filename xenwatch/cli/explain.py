"""`xenwatch explain`: what a pasted line means: the rules that match it, and the incident that follows from it."""

import io
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from xenwatch.base.errors import InputError
from xenwatch.base.plurals import count_text
from xenwatch.cli._output import text_width
from xenwatch.cli.report.format import cut, printable
from xenwatch.triage.report import Report

if TYPE_CHECKING:
    from pathlib import Path

    from xenwatch.diagnosis.rules.rule import Rule

_MOST_UNREAD = 20


@click.command(short_help="Say what a pasted log line means.")
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(exists=True),
    metavar="FOLDER",
    help="Load further rules from this folder. May be repeated.",
)
def COMMAND(words: tuple[str, ...], folders: tuple[str, ...]) -> None:  # noqa: N802 - the registry's name
    """Say which rules match a pasted text, and what follows from it: the incident in full.

    TEXT is one or more lines of a log or of a command's output; quote it for the shell. Each argument is a line.
    Without TEXT, or with -, the text is read from standard input. The text is read as `xenwatch diagnose -` reads it.

    Exit code: 0 if a rule matches the text, 1 if none does.

    \b
    Examples:
      xenwatch explain 'libxl: error: Could not find bridge device xenbr7'
      xl create /etc/xen/web.cfg 2>&1 | xenwatch explain
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    text = _stdin() if words in ((), ("-",)) else "".join(f"{word}\n" for word in words).encode("utf-8", "replace")
    if not text.strip():
        raise InputError("nothing to explain: paste a line in quotes (xenwatch explain 'the line'), or pipe text in")
    report, titles = _report(text, folders)
    lines = _explained(report, titles, text_width()) if report.matched_rules else _unknown(report, text_width())
    click.echo("\n".join(lines))
    sys.exit(0 if report.matched_rules else 1)


def _stdin() -> bytes:
    if sys.stdin.isatty():
        click.echo("Paste the text, then press Ctrl-D on a line of its own.", err=True)
    return sys.stdin.buffer.read()


def _report(text: bytes, folders: tuple[str, ...]) -> tuple[Report, dict[str, str]]:
    """What diagnose makes of the text, and the titles of all rules by their ids."""
    from pathlib import Path  # noqa: PLC0415

    from xenwatch.diagnosis.ruleset import cache_folder, rules_with  # noqa: PLC0415  slow to load; the help needs none
    from xenwatch.triage.diagnose import diagnose  # noqa: PLC0415

    cache = cache_folder()
    rules = rules_with([Path(folder) for folder in folders], cache)
    report = diagnose(["-"], rules, cache=cache, stdin=io.BytesIO(text))
    return report, {rule.id: rule.title for rule in rules}
