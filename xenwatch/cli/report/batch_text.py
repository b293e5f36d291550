"""The summary of many bundles, one page: failures by class, version and host, unknown lines, and what is new."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click

from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line
from xenwatch.cli.report.format import cut
from xenwatch.triage.batch.result import NOT_NAMED
from xenwatch.triage.batch.summary import BatchSummary, Comparison, Placed, Tally
from xenwatch.triage.batch.unread_kinds import UnreadAcross

_MOST_ROWS = 12
_MOST_NEW = 20
_LONGEST = 100
_LONGEST_NAME = 32
_NAMED_KINDS = 3


def batch_text(summary: BatchSummary) -> str:
    """Text for a terminal; what bundles wrote is cleaned of what would drive it."""
    return "\n".join(_lines(summary))


def batch_document(summary: BatchSummary) -> dict[str, Any]:
    """For programs: everything that the page shows, and what it leaves out for its length."""
    compared = summary.compared
    return {
        "version": 1,
        "bundles": {"read": summary.read, "with_failures": summary.with_failures, "errors": len(summary.errors)},
        "failures": summary.failures,
        "errors": [{"bundle": bundle, "error": error} for bundle, error in summary.errors],
        "classes": _tallies_document(summary.classes),
        "xen": _tallies_document(summary.versions),
        "hosts": _tallies_document(summary.hosts),
        "unread": [asdict(kind) for kind in summary.unread.kinds],
        "compared": None if compared is None else _compared_document(compared),
    }


def _tallies_document(tallies: dict[str, Tally]) -> dict[str, Any]:
    return {
        name: {"read": tally.read, "affected": tally.affected, "failures": tally.failures, "kinds": dict(tally.kinds)}
        for name, tally in _ordered(tallies)
    }


def _compared_document(compared: Comparison) -> dict[str, Any]:
    return {
        "new": [_placed_document(placed) for placed in compared.new],
        "gone": [_placed_document(placed) for placed in compared.gone],
        "unread": [asdict(kind) for kind in compared.unread],
    }


def _placed_document(placed: Placed) -> dict[str, Any]:
    failure = placed.failure
    body = {"place": placed.place, "class": failure.class_, "rule": failure.rule, "subject": failure.subject}
    return {**body, "severity": failure.severity, "summary": failure.summary}


def _lines(summary: BatchSummary) -> Iterator[str]:
    yield _headline(summary)
    yield from _tallies("Failures by class", summary.classes)
    yield from _tallies("By version of Xen", summary.versions, of_read=True)
    yield from _tallies("By host", summary.hosts)
    yield from _unread("No rule knows these lines", summary.unread.kinds)
    if (compared := summary.compared) is not None:
        yield from _comparison(compared)
    yield from _errors(summary.errors)


def _headline(summary: BatchSummary) -> str:
    read = count_text(summary.read, "bundle")
    failing = f"{count_text(summary.failures, 'failure')} in {summary.with_failures:,} of them"
    errors = f"; {count_text(len(summary.errors), 'bundle')} could not be read" if summary.errors else ""
    return f"Read {read}: {failing if summary.failures else 'nothing is wrong in them'}{errors}."


def _tallies(title: str, tallies: dict[str, Tally], *, of_read: bool = False) -> Iterator[str]:
    shown = [(name, tally) for name, tally in _ordered(tallies) if tally.failures or of_read]
    if not {name for name, _ in shown} - {NOT_NAMED}:
        return
    yield from ("", click.style(title, bold=True))
    width = max(len(cut(one_line(name), _LONGEST_NAME)) for name, _ in shown[:_MOST_ROWS])
    for name, tally in shown[:_MOST_ROWS]:
        bundles = (
            f"{tally.affected:,} of {count_text(tally.read, 'bundle')}"
            if of_read
            else count_text(tally.affected, "bundle")
        )
        counts = f"{count_text(tally.failures, 'failure'):>14} in {bundles}"
        kinds = ", ".join(f"{one_line(kind)} {count}" for kind, count in tally.kinds.most_common(_NAMED_KINDS))
        yield f"  {cut(one_line(name), _LONGEST_NAME):<{width}} {counts}{': ' + kinds if kinds else ''}"
    yield from _more(len(shown), _MOST_ROWS)


def _unread(title: str, kinds: Iterable[UnreadAcross]) -> Iterator[str]:
    shown = [kind for kind in kinds if not kind.guest]
    if not shown:
        return
    yield from ("", click.style(title, bold=True))
    for kind in shown[:_MOST_ROWS]:
        counts = f"{count_text(kind.lines, 'line')} in {count_text(kind.bundles, 'bundle')}"
        yield f"  {counts}, first in {one_line(kind.file)}:"
        yield f"      {cut(one_line(kind.text.split(chr(10), 1)[0]), _LONGEST)}"
    yield from _more(len(shown), _MOST_ROWS)


def _comparison(compared: Comparison) -> Iterator[str]:
    yield from ("", click.style("Since the earlier run", bold=True))
    gone = count_text(len(compared.gone), "failure")
    yield f"  {count_text(len(compared.new), 'failure')} new, {gone} no longer there"
    for placed in compared.new[:_MOST_NEW]:
        failure = placed.failure
        yield f"  new: {one_line(placed.place)}: {failure.rule}, {one_line(failure.subject)}: " + cut(
            one_line(failure.summary), _LONGEST
        )
    yield from _more(len(compared.new), _MOST_NEW)
    yield from _unread("Lines that no rule knows, and the earlier run did not have", compared.unread)


def _errors(errors: list[tuple[str, str]]) -> Iterator[str]:
    if errors:
        yield from ("", click.style("Not read", bold=True))
    for bundle, error in errors[:_MOST_ROWS]:
        yield f"  {one_line(bundle)}: {cut(one_line(error), _LONGEST)}"
    yield from _more(len(errors), _MOST_ROWS)


def _more(count: int, shown: int) -> Iterator[str]:
    if count > shown:
        yield f"  … and {count - shown:,} more (--format json has all)"


def _ordered(tallies: dict[str, Tally]) -> list[tuple[str, Tally]]:
    return sorted(tallies.items(), key=lambda item: (-item[1].failures, -item[1].read, item[0]))
