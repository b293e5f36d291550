"""`xenwatch rules explain` and `coverage`: why a rule fired in a log or did not, and which lines no rule matches."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line, printable
from xenwatch.cli._complete import rule_ids
from xenwatch.cli._options import FORMAT, LOGS, RULES
from xenwatch.cli._rules.library import library
from xenwatch.cli._rules.logfiles import RuleLogs
from xenwatch.cli._rules.show import find_rule
from xenwatch.diagnosis.authoring.explain import Explanation, SignatureStory
from xenwatch.diagnosis.authoring.explain import explain as explain_rule
from xenwatch.diagnosis.correlation.conditions import Outcome


@click.command()
@click.argument("rule_id", metavar="RULE", shell_complete=rule_ids)
@LOGS
@RULES
@click.pass_context
def explain(context: click.Context, rule_id: str, logs: tuple[Path, ...], paths: tuple[Path, ...]) -> None:
    """Show which conditions of a rule hold in the logs and which do not.

    Exit code: 0 if the rule fires, 1 if it does not.

    \b
    Example:
      xenwatch rules explain vif-bridge-missing --log /var/log/xen/xen-hotplug.log
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    rules = library(paths)
    content = RuleLogs(logs, rules)
    explanation = explain_rule(find_rule(rules, rule_id), content.pipeline, rules, content.chunks())
    for line in _explanation(explanation):
        click.echo(printable(line))
    context.exit(0 if explanation.diagnoses else 1)


@click.command()
@LOGS
@RULES
@FORMAT
def coverage(logs: tuple[Path, ...], paths: tuple[Path, ...], form: str) -> None:
    """List the error lines that no rule matches, the most frequent first.

    Lines that differ only in their numbers are counted as one kind.
    """
    content = RuleLogs(logs, library(paths))
    scanner = content.pipeline.scanner
    for chunk in content.chunks():
        content.pipeline.read(chunk)
    rows = [
        {"count": count, "example": f"{record.source.path}:{record.position.line}: {record.text}"}
        for record, count in scanner.unread.kinds()
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['count']:6}  {one_line(str(row['example']))}")
    click.echo(
        f"{count_text(scanner.unread.total, 'error line')} of {count_text(len(rows), 'kind')} that no rule matches"
    )


def _explanation(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.rule.id}: {'fires' if explanation.diagnoses else 'does not fire'}"
    for index, story in enumerate(explanation.signatures):
        yield f"signature {index}: {story.signature.regex}"
        yield from _signature(story)
    for subject, outcome in explanation.outcomes:
        yield f"conditions for {subject}:"
        yield from _outcome(outcome, "  ")
    if explanation.hushed:
        yield f"rules for harmless lines that matched in these logs: {', '.join(explanation.hushed)}"
    for diagnosis in explanation.diagnoses:
        yield f"concluded for {diagnosis.subject}: {dict(diagnosis.fields)}"


def _signature(story: SignatureStory) -> Iterator[str]:
    if story.unseen_in:
        yield f"  is not searched for in {', '.join(sorted(story.unseen_in))}"
    groups = (
        ("matches", story.matched),
        ("`where` refuses", story.refused),
        ("does not match, though near", story.near),
    )
    for meaning, lines in groups:
        for line in lines:
            yield f"  {meaning}: {line.replace(chr(10), chr(10) + '    ')}"
    if not (story.matched or story.refused or story.near):
        yield "  none of its literal text is in the logs"


def _outcome(outcome: Outcome, indent: str) -> Iterator[str]:
    yield f"{indent}{'holds' if outcome.holds else 'does not hold'}: {outcome.why}"
    for part in outcome.parts:
        yield from _outcome(part, indent + "  ")
