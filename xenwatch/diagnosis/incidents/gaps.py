"""A later line of one trouble may say less than an earlier one: what it leaves open is filled from that."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace

from xenwatch.base import lazy_re as re
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.numbers import in_words

_GAP = re.compile(r"<([a-z_][a-z0-9_]*)>")


def filled_from(newer: Diagnosis, older: Diagnosis) -> Diagnosis:
    """The newer words, with what only the older line captured. A guest's words fill nothing that the host said."""
    missing = {name: value for name, value in older.fields.items() if name not in newer.fields}
    if not missing or older.guest_told != newer.guest_told:
        return newer
    return replace(
        newer,
        title=_prose(newer.title, missing),
        cause=_prose(newer.cause, missing),
        impact=_prose(newer.impact, missing),
        verify=tuple(_command(line, missing) for line in newer.verify),
        remedy=tuple(_command(line, missing) for line in newer.remedy),
        fields={**missing, **newer.fields},
    )


def _prose(text: str, values: Mapping[str, str]) -> str:
    return _filled(text, values, in_words)


def _command(text: str, values: Mapping[str, str]) -> str:
    return _filled(text, values, lambda _name, value: shlex.quote(value))


def _filled(text: str, values: Mapping[str, str], written: Callable[[str, str], str]) -> str:
    return _GAP.sub(lambda gap: written(gap[1], values[gap[1]]) if gap[1] in values else gap[0], text)
