"""Turns the checked values of a rule file into a Rule."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from xenwatch.base.durations import parse_duration
from xenwatch.diagnosis.rules.naming import story_name
from xenwatch.diagnosis.rules.rule import (
    AbsentCondition,
    AllOf,
    AnyOf,
    Condition,
    CountCondition,
    EventCondition,
    Expected,
    FactCondition,
    Given,
    GivenAdvance,
    GivenFact,
    GivenLine,
    GivenSample,
    Hypothesis,
    Look,
    MetricCondition,
    Resolve,
    Rule,
    RuleTest,
    SequenceCondition,
    Signature,
    Status,
    part_of_facts,
)
from xenwatch.diagnosis.rules.yaml_tree import YamlTree

DEFAULT_WINDOW = 120.0
_STATUS: dict[str, Status] = {
    "stable": "stable",
    "experimental": "experimental",
    "test": "experimental",  # what older files of an operator may hold
    "deprecated": "experimental",
}


def parse_offset(text: str) -> float:
    """Seconds after the start of a test in `+5s` or `5s`. ValueError says what was expected."""
    return parse_duration(text.removeprefix("+"))


def build_rule(tree: YamlTree, path: Path) -> Rule:
    """The rule in `tree`; its shape has been checked."""
    raw: dict[str, Any] = tree.value
    signatures = tuple(
        _signature(item, raw["id"], tree.line(f"signatures[{index}].regex"))
        for index, item in enumerate(raw.get("signatures", ()))
    )
    return Rule(
        id=raw["id"],
        class_=raw["class"],
        title=raw["title"],
        severity=raw["severity"],
        status=_STATUS[raw.get("status", "stable")],
        depth=raw.get("depth", "cause"),
        subject=raw.get("subject", "host"),
        aliases=tuple(raw.get("aliases", ())),
        subject_name=_texts(raw.get("subject_name", ())),
        unknown_kernel=raw.get("unknown_kernel", ""),
        signatures=signatures,
        when=_when(_condition(raw["when"])) if "when" in raw else _any_own(signatures),
        file=path,
        explains=tuple(raw.get("explains", ())),
        reach=raw.get("reach", "subject"),
        phase=raw.get("phase"),
        window=parse_duration(raw["window"]) if "window" in raw else DEFAULT_WINDOW,
        impact=raw.get("impact", "").strip(),
        cause=raw.get("cause", "").strip(),
        verify=tuple(raw.get("verify", ())),
        remedy=tuple(raw.get("remedy", ())),
        actions=tuple(raw.get("actions", ())),
        resolve=_resolve(raw.get("resolve", {})),
        references=tuple(raw.get("references", ())),
        look=tuple(map(_look, raw.get("look", ()))),
        hypotheses=tuple(map(_hypothesis, raw.get("hypotheses", ()))),
        tests=tuple(_test(t, tree.line(f"tests[{i}]")) for i, t in enumerate(raw.get("tests", ()))),
        noise=raw.get("noise"),
        fallback=raw.get("fallback", False),
        lines=tree.lines,
    )


def _texts(raw: str | list[str]) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) else tuple(raw)


def _signature(raw: dict[str, Any], rule_id: str, line: int) -> Signature:
    return Signature(
        event=raw.get("event", rule_id),
        regex=raw["regex"],
        streams=tuple(raw.get("streams", ())),
        where=raw.get("where"),
        exception=raw.get("exception", False),
        template=raw.get("template", ""),
        versions=raw.get("versions", ""),
        source=raw.get("source", ""),
        line=line,
    )


def _look(raw: dict[str, Any]) -> Look:
    return Look(raw["fact"], raw["says"], raw.get("of"), raw.get("check"), raw.get("compute", {}), raw.get("decide"))


def _hypothesis(raw: dict[str, Any]) -> Hypothesis:
    return Hypothesis(
        class_=raw["class"],
        cause=raw.get("cause", "").strip(),
        tell=raw.get("tell", "").strip(),
        where=raw.get("where"),
        when=_condition(raw["when"]) if "when" in raw else None,
    )


def _any_own(signatures: tuple[Signature, ...]) -> Condition:
    return AnyOf(tuple(EventCondition(event) for event in dict.fromkeys(s.event for s in signatures)))


def _when(condition: Condition) -> Condition:
    """What facts alone can decide, they must know: what nobody knows opens nothing."""
    match condition:
        case AnyOf(parts):
            return AnyOf(tuple(map(_when, parts)))
        case AllOf(parts) if part_of_facts(condition) == condition:
            return AllOf(tuple(map(_when, parts)))
        case FactCondition():
            return replace(condition, missing_holds=False)
    return condition


def _condition(raw: dict[str, Any]) -> Condition:
    if "all" in raw:
        return AllOf(tuple(_condition(part) for part in raw["all"]))
    if "any" in raw:
        return AnyOf(tuple(_condition(part) for part in raw["any"]))
    condition: Condition = _CONDITIONS[raw["type"]](raw)
    return condition


def _metric(raw: dict[str, Any]) -> MetricCondition:
    rate = parse_duration(raw["rate"]) if "rate" in raw else None
    hold = parse_duration(raw.get("for", "0s"))
    return MetricCondition(raw["metric"], raw["check"], raw.get("labels", {}), hold, rate)


_CONDITIONS: dict[str, Any] = {
    "event": lambda raw: EventCondition(raw["event"], raw.get("where")),
    "count": lambda raw: CountCondition(
        raw["event"], raw["at_least"], parse_duration(raw["within"]), tuple(raw.get("by", ()))
    ),
    "sequence": lambda raw: SequenceCondition(tuple(raw["events"]), parse_duration(raw["within"])),
    "absent": lambda raw: AbsentCondition(raw["after"], raw["expect"], parse_duration(raw["within"])),
    "metric": _metric,
    "fact": lambda raw: FactCondition(
        raw["fact"], raw["check"], raw.get("missing", "hold") == "hold", raw.get("compute", {})
    ),
}


def _resolve(raw: dict[str, Any]) -> Resolve:
    quiet = parse_duration(raw["quiet_for"]) if "quiet_for" in raw else Resolve().quiet_for
    return Resolve(quiet, tuple(raw.get("on", ())))


def _test(raw: dict[str, Any], line: int) -> RuleTest:
    given = tuple(_given(item) for item in raw["given"])
    expect = tuple(_expected(item) for item in raw["expect"])
    return RuleTest(raw.get("name") or story_name(given, expect), given, expect, line)


def _expected(raw: dict[str, Any]) -> Expected:
    says, unchecked = tuple(raw.get("says", ())), tuple(raw.get("unchecked", ()))
    cause = tuple(raw.get("cause", ()))
    return Expected(
        raw.get("subject"), raw.get("fields", {}), raw.get("severity"), says, unchecked, raw.get("class"), cause
    )


def _given(raw: dict[str, Any]) -> Given:
    at = parse_offset(raw["at"]) if "at" in raw else None
    if "line" in raw:
        return GivenLine(raw["stream"], raw["line"], at, raw.get("file"))
    if "fact" in raw:
        value = tuple(map(str, raw["value"])) if isinstance(raw["value"], list) else raw["value"]
        return GivenFact(raw["fact"], value, raw.get("subject", "host/dom0"))
    if "metric" in raw:
        return GivenSample(raw["metric"], float(raw["value"]), raw.get("labels", {}), at)
    return GivenAdvance(parse_duration(raw["advance"]))
