"""`xenwatch rules explain` and `coverage`: what became of a rule in a log, and what no rule knows there."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from xenwatch.base.text_shape import text_shape
from xenwatch.cli._rules.library import library
from xenwatch.cli._rules.logfiles import RuleLogs
from xenwatch.cli._rules.show import find_rule
from xenwatch.diagnosis.authoring.explain import Explanation, SignatureStory
from xenwatch.diagnosis.authoring.explain import explain as explain_rule
from xenwatch.diagnosis.correlation.conditions import Outcome

_LOG = click.option(
    "--log", "logs", multiple=True, required=True, type=click.Path(path_type=Path), help="A log; may be repeated."
)
_FROM = click.option(
    "--rules", "paths", multiple=True, type=click.Path(exists=True, path_type=Path), help="Rule files or folders."
)
_FORM = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.command()
@click.argument("rule_id", metavar="RULE")
@_LOG
@_FROM
@click.pass_context
def explain(context: click.Context, rule_id: str, logs: tuple[Path, ...], paths: tuple[Path, ...]) -> None:
    """Say which of the rule's conditions hold in the logs and which do not. Exit code 1 when the rule did not fire.

    \b
    xenwatch rules explain vif-bridge-missing --log /var/log/xen/xen-hotplug.log
    """  # noqa: D301 (\b is click's mark for a block that keeps its lines)
    rules = library(paths)
    reading = RuleLogs(logs, rules)
    told = explain_rule(find_rule(rules, rule_id), reading.pipeline, rules, reading.chunks())
    for line in _story(told):
        click.echo(line)
    context.exit(0 if told.diagnoses else 1)


@click.command()
@_LOG
@_FROM
@_FORM
def coverage(logs: tuple[Path, ...], paths: tuple[Path, ...], form: str) -> None:
    """List lines at error level that no rule knows, the most frequent first; numbers in them count as equal."""
    reading = RuleLogs(logs, library(paths))
    scanner = reading.pipeline.scanner
    count, example = Counter[str](), dict[str, str]()
    for chunk in reading.chunks():
        reading.pipeline.read(chunk)
        for record in scanner.unmatched:
            shape = text_shape(record.text)
            count[shape] += 1
            example.setdefault(shape, f"{record.source.path}:{record.position.line}: {record.text}")
        scanner.unmatched.clear()
    rows = [{"count": number, "example": example[shape]} for shape, number in count.most_common()]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['count']:6}  {row['example']}")
    click.echo(f"{scanner.unmatched_total} error lines of {len(rows)} kinds are known to no rule")


def _story(told: Explanation) -> Iterator[str]:
    yield f"{told.rule.id}: {'fires' if told.diagnoses else 'does not fire'}"
    for index, story in enumerate(told.signatures):
        yield f"signature {index}: {story.signature.regex}"
        yield from _signature(story)
    for subject, outcome in told.outcomes:
        yield f"conditions for {subject}:"
        yield from _outcome(outcome, "  ")
    if told.hushed:
        yield f"quiet rules that matched in these logs: {', '.join(told.hushed)}"
    for diagnosis in told.diagnoses:
        yield f"concluded for {diagnosis.subject}: {dict(diagnosis.fields)}"


def _signature(story: SignatureStory) -> Iterator[str]:
    if story.unseen_in:
        yield f"  is not looked for in {', '.join(sorted(story.unseen_in))}"
    heard = (
        ("matches", story.matched),
        ("`where` refuses", story.refused),
        ("does not match, though near", story.near),
    )
    for words, lines in heard:
        for line in lines:
            yield f"  {words}: {line.replace(chr(10), chr(10) + '    ')}"
    if not (story.matched or story.refused or story.near):
        yield "  none of its literal text is there"


def _outcome(outcome: Outcome, indent: str) -> Iterator[str]:
    yield f"{indent}{'holds' if outcome.holds else 'does not hold'}: {outcome.why}"
    for part in outcome.parts:
        yield from _outcome(part, indent + "  ")
