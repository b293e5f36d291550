"""Writes the results of a batch to a file: a line of JSON for each bundle, or Parquet with a row for each incident."""

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.triage.batch.result import BundleResult

Write = Callable[[BundleResult], None]

_ROWS_AT_ONCE = 5000
_TEXTS = ("bundle", "error", "host", "xen", "class", "rule", "severity", "role", "kind", "name", "summary", "cause")
_MOMENTS = ("first_seen", "last_seen")


@contextmanager
def results_file(path: Path | None) -> Iterator[Write]:
    """What takes each result; the suffix `.parquet` says that Parquet is meant. None: nothing is written."""
    if path is None:
        yield lambda _result: None
    elif path.suffix == ".parquet":
        with _parquet(path) as write:
            yield write
    else:
        with _json_lines(path) as write:
            yield write


@contextmanager
def _json_lines(path: Path) -> Iterator[Write]:
    """Each line is there as soon as its bundle was read: what a power cut leaves is a shorter file of results."""
    try:
        file = path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    with file:
        yield lambda result: print(json.dumps(result.as_json()), file=file)


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    try:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(f"{path}: Parquet needs pyarrow; install it, or name a file that ends in .jsonl") from None
    texts = [(name, arrow.string()) for name in _TEXTS]
    schema = arrow.schema(
        [*texts, *((name, arrow.timestamp("ms", "UTC")) for name in _MOMENTS), ("count", arrow.int64())]
    )
    held: list[dict[str, Any]] = []
    try:
        writer = parquet.ParquetWriter(path, schema)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None

    def flush() -> None:
        writer.write_table(arrow.Table.from_pylist(held, schema=schema))
        held.clear()

    def write(result: BundleResult) -> None:
        held.extend(_rows(result))
        if len(held) >= _ROWS_AT_ONCE:
            flush()

    with writer:
        yield write
        flush()


def _rows(result: BundleResult) -> Iterator[dict[str, Any]]:
    """A bundle without incidents has a row, too: what was read is as much a finding."""
    common = {
        "bundle": result.bundle,
        "error": result.error,
        "host": result.hosts[0] if len(result.hosts) == 1 else None,
        "xen": result.versions[0] if len(result.versions) == 1 else None,
    }
    incidents = result.report["incidents"] if result.report is not None else ()
    for incident in incidents:
        yield {**common, **_row(incident)}
    if not incidents:
        yield common


def _row(incident: dict[str, Any]) -> dict[str, Any]:
    same = ("class", "rule", "severity", "role", "summary", "cause", "count")
    subject = incident["subject"]
    moments = {name: datetime.fromisoformat(incident[name]) if incident[name] else None for name in _MOMENTS}
    host = {"host": subject["host"]} if subject.get("host") else {}
    return {
        **{name: incident[name] for name in same},
        **moments,
        **host,
        "kind": subject["kind"],
        "name": subject["name"],
    }
