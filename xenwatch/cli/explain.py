"""`xenwatch explain`: what a pasted line means: the rules that match it, and the incident that follows from it."""

import io
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xenwatch.base.errors import InputError
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import printable
from xenwatch.cli._output import text_width
from xenwatch.cli.report import as_json
from xenwatch.cli.report.as_text import incidents_in_full
from xenwatch.cli.report.format import cut
from xenwatch.triage.report import Report

if TYPE_CHECKING:
    from xenwatch.diagnosis.rules.rule import Rule

_MOST_UNREAD = 20
_LONGEST = 400


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
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Print this way."
)
def COMMAND(words: tuple[str, ...], folders: tuple[str, ...], form: str) -> None:  # noqa: N802 - the registry's name
    """Say which rules match a pasted text, and what follows from it: the incident in full.

    TEXT is one or more lines of a log or of a command's output; quote it for the shell. Each argument is a line.
    Without TEXT, or with -, the text is read from standard input. The text is read as `xenwatch diagnose -` reads it.

    Exit code: 0 if a rule matches the text, 1 if none does.

    \b
    Examples:
      xenwatch explain 'libxl: error: Could not find bridge device xenbr7'
      xl create /etc/xen/web.cfg 2>&1 | xenwatch explain
      xenwatch explain --format json 'Error: Device 51712 (vbd) could not be connected.'
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    text = _stdin() if words in ((), ("-",)) else "".join(f"{word}\n" for word in words).encode("utf-8", "replace")
    if not text.strip():
        raise InputError("nothing to explain: paste a line in quotes (xenwatch explain 'the line'), or pipe text in")
    report, rules = read_text(text, [Path(folder) for folder in folders])
    if form == "json":
        click.echo(as_json.as_text(document(report, rules)))
    else:
        click.echo("\n".join(_lines(report, rules, text_width())))
    sys.exit(0 if report.matched_rules else 1)


def _stdin() -> bytes:
    if sys.stdin.isatty():
        click.echo("Paste the text, then press Ctrl-D on a line of its own.", err=True)
    return sys.stdin.buffer.read()


def read_text(text: bytes, folders: Sequence[Path]) -> tuple[Report, dict[str, "Rule"]]:
    """What diagnose makes of the text, and all rules by their ids."""
    from xenwatch.diagnosis.ruleset import cache_folder, rules_with  # noqa: PLC0415  slow to load; the help needs none
    from xenwatch.triage.diagnose import diagnose  # noqa: PLC0415

    cache = cache_folder()
    rules = rules_with(folders, cache)
    report = diagnose(["-"], rules, cache=cache, stdin=io.BytesIO(text), any_program=True)
    return report, {rule.id: rule for rule in rules}


def document(report: Report, rules: dict[str, "Rule"]) -> dict[str, Any]:
    """The document of `diagnose --format json`, and under `rules` those that match the text."""
    matched = [rules[rule] for rule in report.matched_rules if rule in rules]
    said = [{"id": r.id, "title": r.title, "class": r.class_, "harmless": r.noise} for r in matched]
    return {**as_json.document(report), "rules": said}


def _lines(report: Report, rules: dict[str, "Rule"], width: int) -> Iterator[str]:
    matched = [rules[rule] for rule in report.matched_rules if rule in rules]
    if matched:
        verb = "matches" if len(matched) == 1 else "match"
        yield click.style(f"{count_text(len(matched), 'rule')} {verb} it:", bold=True)
        for rule in matched:
            yield from _wrapped(_rule_text(rule, report), width)
    else:
        yield click.style("No rule knows it.", bold=True)
    yield from _unread(report, width)
    yield ""
    if report.incidents:
        yield from incidents_in_full(report, width)
    elif matched:
        yield from textwrap.wrap("Nothing follows from this text alone: the rules want more than it says.", width)


def _rule_text(rule: "Rule", report: Report) -> str:
    """The rule's title, and why nothing is to be done about it or why it concludes nothing."""
    concluded = any(incident.diagnosis.rule == rule.id for incident in report.incidents)
    why = "" if concluded else "; it concludes nothing from this text alone"
    return f"{rule.id}: {rule.title}{f'; harmless: {rule.noise}' if rule.noise else why}"


def _unread(report: Report, width: int) -> Iterator[str]:
    """What the error extractor made of the lines that no rule matches."""
    for error in report.unmatched[:_MOST_UNREAD]:
        yield from _wrapped(f"an error line that no rule matches: {cut(printable(error.text), _LONGEST)}", width)
    if not report.unmatched and not report.matched_rules:
        formats = ", ".join(dict.fromkeys(file.format for file in report.files))
        yield from _wrapped(f"It was read as {formats}, and nothing in it says that something failed.", width)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
