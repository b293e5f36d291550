"""`diagnose --each`: many bundles, each alone, in workers of this machine or of a cluster, with one summary of all."""

import functools
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from xenwatch.base.errors import InputError
from xenwatch.cli._options import EXIT_INTERRUPTED
from xenwatch.cli._progress import Progress
from xenwatch.cli._selection import Selection
from xenwatch.triage.report import Report

if TYPE_CHECKING:
    from xenwatch.triage.batch.baseline import Baseline
    from xenwatch.triage.batch.result import BundleResult
    from xenwatch.triage.batch.results_file import Write
    from xenwatch.triage.batch.summary import BatchSummary
    from xenwatch.triage.batch.task import BatchTask


@dataclass(frozen=True, slots=True)
class EachOptions:
    """How many bundles are read."""

    each: bool = False
    jobs: int | None = None
    scheduler: str | None = None
    baseline: Path | None = None

    def refuse_without_each(self) -> None:
        """Raises InputError where an option says what becomes of many bundles, and there is one."""
        names = ("scheduler", "baseline")
        given = [f"--{name}" for name in names if getattr(self, name) is not None]
        if given and not self.each:
            raise InputError(f"{' and '.join(given)}: only with --each, which reads many bundles, each alone")


_OPTIONS = (
    click.option(
        "--each",
        is_flag=True,
        help="Read many bundles, each alone: PATH is a folder of bundles, a list of paths, or one bundle. "
        "Prints a summary; --output FILE gets one line of JSON for each bundle, or Parquet if FILE ends in .parquet.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Read with so many processes: with --each so many bundles at once, else so many large files of the one. "
        "Default: one for each processor, where there is much to read.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="With --each: read them on the workers of this Dask scheduler (tcp://host:8786). They must see the same "
        "paths, and have the same xenwatch.",
    ),
    click.option(
        "--baseline",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="With --each: say what is new since the run that wrote FILE (JSON lines).",
    ),
)


def each_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command takes them together as `batch`."""

    @functools.wraps(command)
    def with_each(*args: Any, **values: Any) -> Any:
        names = [field.name for field in fields(EachOptions)]
        return command(*args, batch=EachOptions(**{name: values.pop(name) for name in names}), **values)

    for option in reversed(_OPTIONS):
        with_each = option(with_each)
    return with_each


def document_of(selection: Selection, report: Report) -> dict[str, Any]:
    """What a bundle's line says of its report: the document of `--format json`. Workers import it by its name."""
    from xenwatch.cli.report.as_json import document  # noqa: PLC0415

    return document(selection.of(report, None))


def read_each(
    paths: Sequence[str], task: "BatchTask", options: EachOptions, output: str | None, progress: Progress
) -> "tuple[BatchSummary, int]":
    """Read all bundles; the summary of what was read, and the exit code."""
    from xenwatch.triage.batch.bundles import bundles_of  # noqa: PLC0415  the help of other commands needs none of this
    from xenwatch.triage.batch.results_file import results_file  # noqa: PLC0415
    from xenwatch.triage.batch.summary import BatchSummary  # noqa: PLC0415

    bundles, baseline = bundles_of(paths), _baseline(options, output)
    summary = BatchSummary(baseline)
    with results_file(Path(output) if output else None) as write:
        try:
            _read_all(_results(task, bundles, options, progress), len(bundles), summary, write, progress)
        except KeyboardInterrupt:
            return summary, EXIT_INTERRUPTED
    return summary, summary.exit_code


def _baseline(options: EachOptions, output: str | None) -> "Baseline | None":
    from xenwatch.triage.batch.baseline import read_baseline  # noqa: PLC0415

    if options.baseline is None:
        return None
    if output and Path(output).resolve() == options.baseline.resolve():
        raise InputError(f"{output}: --output would overwrite the run that --baseline compares with")
    return read_baseline(options.baseline)


def _results(
    task: "BatchTask", bundles: Sequence[str], options: EachOptions, progress: Progress
) -> "Iterator[BundleResult]":
    from xenwatch.triage.batch.cluster import read_on_cluster  # noqa: PLC0415
    from xenwatch.triage.batch.task import prepare  # noqa: PLC0415
    from xenwatch.triage.batch.workers import read_in_workers  # noqa: PLC0415

    progress.step("reading the rules")
    prepare(task)
    if options.scheduler is not None:
        return read_on_cluster(task, bundles, options.scheduler)
    jobs = options.jobs or len(os.sched_getaffinity(0))
    return read_in_workers(task, bundles, min(jobs, len(bundles)))


def _read_all(
    results: "Iterable[BundleResult]", total: int, summary: "BatchSummary", write: "Write", progress: Progress
) -> None:
    began = time.monotonic()
    with closing(cast("Any", results)):
        for result in results:
            write(result)
            summary.add(result)
            progress.counted(summary.seen, total, _pace(summary, total, time.monotonic() - began))


def _pace(summary: "BatchSummary", total: int, seconds: float) -> str:
    pace = summary.seen / max(seconds, 0.001)
    minutes = (total - summary.seen) / pace / 60
    unreadable = f", {len(summary.errors):,} not readable" if summary.errors else ""
    return f"bundles{unreadable}: {pace:.1f} a second, {minutes:.0f} min left"


def summary_text(summary: "BatchSummary", form: str) -> str:
    """As text for a terminal, or as JSON."""
    from xenwatch.cli.report.batch_text import batch_document, batch_text  # noqa: PLC0415

    return json.dumps(batch_document(summary), indent=2) if form == "json" else batch_text(summary)
