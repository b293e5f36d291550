"""An earlier run of the same batch: which failures and which unknown lines it already had."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from xenwatch.base.errors import InputError, InvalidValue
from xenwatch.triage.batch.result import BundleFailure, FailureKey, result_from_json
from xenwatch.triage.batch.unread_kinds import line_shape


@dataclass(slots=True)
class Baseline:
    """Only what the comparison needs of it stays in memory."""

    failures: dict[FailureKey, BundleFailure] = field(default_factory=dict)
    shapes: set[str] = field(default_factory=set)


def read_baseline(path: Path) -> Baseline:
    """Raises InputError where it cannot be read or is no file of results."""
    baseline = Baseline()
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                _take(baseline, line, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    return baseline


def _take(baseline: Baseline, line: str, place: str) -> None:
    if not line.strip():
        return
    try:
        result = result_from_json(json.loads(line))
    except (InvalidValue, ValueError) as error:
        raise InputError(f"{place}: {error}") from None
    baseline.failures.update({result.key(failure): failure for failure in result.failures})
    baseline.shapes.update(line_shape(str(kind["text"])) for kind in result.unread)
