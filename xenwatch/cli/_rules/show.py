"""`xenwatch rules list` and `show`: all rules, and one rule in full."""

import json
from pathlib import Path

import click

from xenwatch.base.errors import InputError
from xenwatch.cli._complete import rule_ids
from xenwatch.cli._options import FORMAT, RULES
from xenwatch.cli._rules.library import library
from xenwatch.diagnosis.rules.aliases import present_ids
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.headings import CAUSE, FIX, IMPACT, VERIFY


@click.command("list")
@RULES
@FORMAT
def list_rules(paths: tuple[Path, ...], form: str) -> None:
    """List all rules with their severity, depth (cause, mechanism or symptom), class, id and title."""
    rules = sorted(library(paths), key=lambda rule: (rule.file.parent.name, rule.id))
    if form == "json":
        click.echo(json.dumps([_summary(rule) for rule in rules], indent=2))
        return
    for rule in rules:
        depth = "quiet" if rule.noise else rule.depth
        click.echo(f"{rule.severity:8} {depth:9} {rule.class_:28} {rule.id:38} {rule.title}")


@click.command()
@click.argument("rule_id", metavar="RULE", shell_complete=rule_ids)
@RULES
@FORMAT
def show(rule_id: str, paths: tuple[Path, ...], form: str) -> None:
    """Show one rule: what it looks for, its cause and impact, how to verify it and how to fix it."""
    rule = find_rule(library(paths), rule_id)
    if form == "json":
        click.echo(json.dumps(details(rule), indent=2))
        return
    click.echo(f"{rule.id} ({rule.class_}, {rule.severity}, {rule.depth}, {rule.status})\n{rule.title}\n{rule.file}")
    for heading, text in ((CAUSE.title, rule.cause), (IMPACT.title, rule.impact), ("Harmless because", rule.noise)):
        if text:
            click.echo(f"\n{heading}\n  {text}")
    _lines("Looked for", [s.regex for s in rule.signatures])
    _lines(VERIFY.title, rule.verify)
    _lines(FIX.title, rule.remedy)
    _lines("Explains", rule.explains)
    _lines("References", rule.references)
    _lines("Former ids", rule.aliases)


def find_rule(rules: tuple[Rule, ...], rule_id: str) -> Rule:
    """The rule that has this id, or had it before. InputError names the rules with the most similar ids."""
    present = present_ids(rules).get(rule_id, rule_id)
    match = next((rule for rule in rules if rule.id == present), None)
    if match is not None and match.id != rule_id:
        click.echo(f"The rule {rule_id} is now called {match.id}.", err=True)
    if match is None:
        import difflib  # noqa: PLC0415  only for the message

        near = difflib.get_close_matches(rule_id, [rule.id for rule in rules])
        raise InputError(f"there is no rule {rule_id!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    return match


def _lines(heading: str, lines: list[str] | tuple[str, ...]) -> None:
    if lines:
        click.echo(f"\n{heading}")
        for line in lines:
            click.echo(f"  {line}")


def _summary(rule: Rule) -> dict[str, object]:
    return {"id": rule.id, "aliases": list(rule.aliases), "class": rule.class_, "area": rule.file.parent.name,
            "severity": rule.severity, "depth": rule.depth, "status": rule.status, "quiet": bool(rule.noise),
            "title": rule.title}  # fmt: skip


def details(rule: Rule) -> dict[str, object]:
    """All of a rule, for programs."""
    signatures = [
        {"event": s.event, "regex": s.regex, "streams": list(s.streams), "template": s.template, "versions": s.versions}
        for s in rule.signatures
    ]
    texts = {"impact": rule.impact, "cause": rule.cause, "noise": rule.noise, "verify": list(rule.verify)}
    lists = {"remedy": list(rule.remedy), "explains": list(rule.explains), "references": list(rule.references)}
    return {**_summary(rule), "file": str(rule.file), "signatures": signatures, **texts, **lists}
