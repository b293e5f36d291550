"""The name of a test that was given none: its lines, their log, and what is expected."""

from collections.abc import Sequence

from xenwatch.diagnosis.rules.rule import Expected, Given, GivenAdvance, GivenFact, GivenLine, GivenSample

_LONGEST_QUOTE = 60


def story_name(given: Sequence[Given], expect: Sequence[Expected]) -> str:
    """`kernel: "md/raid1:md3: Disk failure on sdc1…": array/md3, device=sdc1`, or `… : stays quiet`."""
    story = [_told(item) for item in given if not isinstance(item, GivenAdvance)] or ["time passes"]
    more = f" and {len(story) - 1} more" if len(story) > 1 else ""
    return f"{story[0]}{more}: {'; '.join(map(_expected, expect)) or 'stays quiet'}"


def _told(item: Given) -> str:
    match item:
        case GivenLine():
            return f'{item.stream} "{_quote(item.line)}"'
        case GivenFact():
            return f"fact {item.fact} = {_quote(str(item.value))}"
        case GivenSample():
            return f"metric {item.metric} = {item.value:g}"
        case _:
            return "time passes"


def _expected(incident: Expected) -> str:
    fields = [f"{name}={value}" for name, value in incident.fields.items()]
    words = [incident.subject or "", *fields, incident.severity or "", *incident.says, *incident.unchecked]
    return ", ".join(word for word in words if word) or "fires"


def _quote(text: str) -> str:
    """The message rather than its header: the end of the first line."""
    first = text.strip().splitlines()[0]
    return first if len(first) <= _LONGEST_QUOTE else f"…{first[-_LONGEST_QUOTE:]}"
