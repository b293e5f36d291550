"""docs/failures/: a page for each known failure, made from its rule, and an index by class."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from xenwatch.base.durations import format_duration
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import (
    AbsentCondition,
    AllOf,
    AnyOf,
    Condition,
    CountCondition,
    EventCondition,
    FactCondition,
    MetricCondition,
    Rule,
    SequenceCondition,
    Signature,
)
from xenwatch.model.headings import CAUSE, CONSEQUENCES, FIX, IMPACT, SUBJECT, VERIFY

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "docs/failures"
_NOTE = "<!-- Generated from {source} by `make docs`; a test keeps it current. -->"
_HEAD = """# Known failures

{note}

xenwatch knows {count} failures in {classes} classes. Each incident names its rule and its class;
`xenwatch rules show RULE` prints the rule's page in a terminal. Some lines look bad but are [harmless](harmless.md).
To add a failure, see [writing rules](../writing-rules.md).

On these pages a word in braces, such as `{{bridge}}`, stands for a value that an incident fills in from the log
line. In an incident the commands are ready to paste."""
_DEPTHS = {
    "cause": "a root cause",
    "mechanism": "a step between cause and symptom; another rule may know its cause",
    "symptom": "a symptom; another rule may know its cause",
}


def pages() -> dict[str, str]:
    """All pages by their path below the checkout."""
    rules = load_library([ROOT / "rules"], None)
    known = [rule for rule in rules if not rule.noise]
    made = {f"{FOLDER}/{rule.id}.md": _page(rule, rules) for rule in known}
    made |= {f"{FOLDER}/{alias}.md": _moved(alias, rule) for rule in known for alias in rule.aliases}
    made[f"{FOLDER}/README.md"] = _index(known)
    made[f"{FOLDER}/harmless.md"] = _harmless(rule for rule in rules if rule.noise)
    return made


def _page(rule: Rule, rules: Iterable[Rule]) -> str:
    pages = {other.id for other in rules if not other.noise}
    causes = [other.id for other in rules if rule.id in other.explains]
    parts = [
        f"# {plain(rule.title)}",
        _NOTE.format(source=_source(rule)),
        f"Rule `{rule.id}` · class `{rule.class_}` · {rule.severity} · {SUBJECT.label}: {rule.subject}"
        f" · {_DEPTHS[rule.depth]}" + ("" if rule.status == "stable" else f" · {rule.status}"),
        *_section(IMPACT.title, plain(rule.impact)),
        *_section(CAUSE.title, plain(rule.cause)),
        *_section("What decides the cause", *_hypotheses(rule)),
        *_section(VERIFY.title, *steps(rule.verify)),
        *_section(FIX.title, *steps(rule.remedy), _actions(rule)),
        *_section("When it is reported", _when(rule), _over(rule)),
        *_section("Messages", _messages(rule.signatures)),
        *_section(CONSEQUENCES.title, _links(rule.explains, pages)),
        *_section("What may cause it", _links(causes, pages)),
        *_section("References", *_list(plain(one) for one in rule.references)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _moved(alias: str, rule: Rule) -> str:
    """What stands where a link to a former id leads."""
    note = _NOTE.format(source=_source(rule))
    return f"# {plain(rule.title)}\n\n{note}\n\nThe rule `{alias}` is called [`{rule.id}`]({rule.id}.md) now.\n"


def _hypotheses(rule: Rule) -> list[str]:
    """Each class that the rule may name instead of its own, and why."""
    told = [(one.class_, one.cause or one.tell) for one in rule.hypotheses]
    return _list(f"`{name}`: {plain(why)}" if why else f"`{name}`" for name, why in told)


def _source(rule: Rule) -> str:
    return str(rule.file.resolve().relative_to(ROOT))


def _section(heading: str, *parts: str) -> list[str]:
    told = [part for part in parts if part]
    return [f"## {heading}", *told] if told else []


def steps(steps: tuple[str, ...]) -> Iterator[str]:
    """Sentences as sentences, commands in blocks to copy; `{field}` is what was seen, such as a bridge's name."""
    commands: list[str] = []
    for step in steps:
        if step[:1].isupper() and " " in step:
            yield from _block(commands)
            commands = []
            yield f"{plain(step)}{'' if step.endswith(('.', '?', '!', ':')) else '.'}"
        else:
            commands.append(step)
    yield from _block(commands)


def _block(commands: list[str]) -> list[str]:
    return ["\n".join(["```sh", *commands, "```"])] if commands else []


def _actions(rule: Rule) -> str:
    if not rule.actions:
        return ""
    names = ", ".join(f"`{name}`" for name in rule.actions)
    return (
        f"xenwatch itself offers these actions if the policy allows them: {names} ([remediation](../remediation.md))."
    )


def _when(rule: Rule) -> str:
    own = {signature.event for signature in rule.signatures}
    told = "\n".join(_list(_conditions(rule.when, own)))
    if not rule.explains:
        return told
    whole = ", also on every guest of the host" if rule.reach == "host" else ""
    near = f"within {format_duration(rule.window)} of it{whole}"
    return f"{told}\n\nIt explains the symptoms listed below that appear {near}."


def _over(rule: Rule) -> str:
    ends = f"it has not been seen for {format_duration(rule.resolve.quiet_for)}"
    events = ", ".join(f"`{event}`" for event in rule.resolve.on)
    return f"The incident is resolved when {ends}{f', or at once by {events}' if events else ''}."


def _conditions(condition: Condition, own: set[str]) -> Iterator[str]:
    """`own` are the events of the rule's own messages."""
    match condition:
        case AllOf(parts):
            for part in parts:
                yield from _conditions(part, own)
        case AnyOf(parts):
            told = dict.fromkeys(text for part in parts for text in _conditions(part, own))
            yield ("one of these: " if len(told) > 1 else "") + "; ".join(told)
        case _:
            yield _one(condition, own)


def _one(condition: Condition, own: set[str]) -> str:  # noqa: PLR0911 - one for each kind of condition
    match condition:
        case EventCondition(event, None) if event in own:
            return (
                "one of the messages below"
                if len(own) == 1
                else f"one of the messages below that give the event `{event}`"
            )
        case EventCondition(event, where):
            return f"the event `{event}`" + (f", where `{where}`" if where else "")
        case CountCondition(event, at_least, within, by):
            group = f" with the same {' and '.join(by)}" if by else ""
            return f"the event `{event}` at least {at_least} times within {format_duration(within)}{group}"
        case SequenceCondition(events, within):
            return f"the events {', then '.join(f'`{e}`' for e in events)} within {format_duration(within)}"
        case AbsentCondition(after, expect, within):
            return f"the event `{after}`, and no `{expect}` within {format_duration(within)}"
        case MetricCondition(metric, check, _, hold, rate):
            pace = f", as a rate over {format_duration(rate)}," if rate else ""
            return f"the metric `{metric}`{pace} with `{check}`" + (f" for {format_duration(hold)}" if hold else "")
        case FactCondition(fact, check, missing):
            unknown = "it is reported with a note" if missing else "it is not reported"
            return f"the fact `{fact}` with `{check}` (if the fact is unknown, {unknown})"
    raise TypeError(condition)


def _messages(signatures: tuple[Signature, ...]) -> str:
    if not signatures:
        return ""
    several = len({one.event for one in signatures}) > 1
    rows = ["| Message | Versions | Printed by |", "|---|---|---|"]
    for one in signatures:
        streams = f" (in {', '.join(one.streams)})" if one.streams else ""
        event = f" gives `{one.event}`" if several else ""
        rows.append(
            f"| {code(one.template or one.regex)}{event} | {cell(one.versions)} | {cell(one.source)}{streams} |"
        )
    return "\n".join(rows)


def _links(rules: Iterable[str], pages: set[str]) -> str:
    return ", ".join(f"[{rule}]({rule}.md)" if rule in pages else f"`{rule}`" for rule in sorted(rules))


def _index(rules: Iterable[Rule]) -> str:
    areas: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        areas[rule.file.parent.name].append(rule)
    count, classes = sum(map(len, areas.values())), len({r.class_ for found in areas.values() for r in found})
    lines = [_HEAD.format(count=count, classes=classes, note=_NOTE.format(source="rules/"))]
    for area, found in sorted(areas.items()):
        lines += ["", f"## {area}", "", "| Class | Failure | Severity |", "|---|---|---|"]
        for rule in sorted(found, key=lambda r: (r.class_, r.id)):
            lines.append(f"| `{rule.class_}` | [{cell(rule.title)}]({rule.id}.md) | {rule.severity} |")
    return "\n".join(lines) + "\n"


def _harmless(rules: Iterable[Rule]) -> str:
    lines = ["# Lines that look bad but are harmless", "", _NOTE.format(source="rules/")]
    for rule in sorted(rules, key=lambda r: r.id):
        lines += ["", f"## {plain(rule.title)}", "", f"Rule `{rule.id}`. {plain(rule.noise or '')}", ""]
        lines.append(_messages(rule.signatures))
    return "\n".join(lines) + "\n"


def _list(texts: Iterable[str]) -> list[str]:
    found = list(texts)
    return ["\n".join(f"- {text}" for text in found)] if found else []


def plain(text: str) -> str:
    """On one line, nothing in it markup but what stands in backticks; `{bridge}` shows as what is filled in."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    escaped = (part if part.startswith("`") else re.sub(r"([*_<>\[\]|])", r"\\\1", part) for part in parts)
    return "".join(escaped)


def cell(text: str) -> str:
    """For a table."""
    return plain(text).replace("\n", " ")


def code(text: str) -> str:
    """A message as it is printed, in a table's cell."""
    text = " ".join(text.split()).replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"
