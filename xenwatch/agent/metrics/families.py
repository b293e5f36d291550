"""Metric families of the agent's parts: logs, diagnosis, incidents, state, exposition."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.metrics.registry import MOST_LOGS, AgentCounters, counter, gauge
from xenwatch.base.printed_text import as_unicode
from xenwatch.diagnosis.correlation.standing import CheckResult
from xenwatch.logs.counters import FollowCounters, SourceCounters
from xenwatch.model.incident import MOVES, Incident
from xenwatch.model.record import LogRecord
from xenwatch.state.store import Store
from xenwatch.state.writer import Writer
from xenwatch.web.exposition import Exposition

LONGEST_WORDS = 600
"""Characters of one text in a label: enough for a page, little for Prometheus."""

_LOG_COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("lines", "lines", "Lines read from a log"),
    ("bytes", "bytes", "Bytes read from a log"),
    ("rotations", "rotations", "Times a log was rotated"),
    ("truncations", "truncations", "Times a log's content was found replaced"),
    ("losses", "truncations_without_copy", "Times a log's content was replaced and no copy of the old was found"),
    ("cut_lines", "cut_lines", "Pieces read without their newline"),
    ("read_errors", "read_errors", "Times a log could not be opened or read"),
)


def log_families(follow: FollowCounters, agent: AgentCounters) -> Iterator[Metric]:
    """How each log is read."""
    newest = sorted(follow.sources.items(), key=lambda item: item[1].last_read or 0.0, reverse=True)
    agent.dropped["logs"] = max(0, len(newest) - MOST_LOGS)
    shown = sorted(newest[:MOST_LOGS])
    for name, attribute, words in _LOG_COUNTERS:
        family = CounterMetricFamily(f"xenwatch_log_{name}", words, labels=["source"])
        for path, counters in shown:
            family.add_metric([as_unicode(path)], getattr(counters, attribute))
        yield family
    yield from _log_gauges(shown)
    yield counter(
        "xenwatch_log_watch_overflows", "Times the kernel's queue of file events overflowed", follow.overflows
    )
    yield counter(
        "xenwatch_log_watch_errors", "Directories that are polled because they cannot be watched", follow.watch_errors
    )
    yield gauge("xenwatch_log_files_open", "Files of logs that are held open", follow.open_files)
    yield gauge("xenwatch_log_files_limit", "Files of logs that may be held open at once", follow.most_open_files)
    yield counter(
        "xenwatch_log_rests", "Times a quiet log's files were closed because too many were open", follow.rests
    )
    yield counter("xenwatch_log_bad_cursors", "Stored log positions that could not be understood", follow.bad_cursors)


def _log_gauges(shown: list[tuple[str, SourceCounters]]) -> Iterator[Metric]:
    lag = GaugeMetricFamily("xenwatch_log_lag_bytes", "Bytes of a log that are not read yet", labels=["source"])
    last = GaugeMetricFamily(
        "xenwatch_log_last_read_timestamp_seconds", "When something was last read from a log", labels=["source"]
    )
    for path, counters in shown:
        lag.add_metric([as_unicode(path)], counters.lag_bytes)
        if counters.last_read is not None:
            last.add_metric([as_unicode(path)], counters.last_read)
    yield lag
    yield last


@dataclass(slots=True)
class DiagnosisCounts:
    """What the pipeline counts."""

    matches: Counter[tuple[str, str, str]]
    """By (rule, stream, severity)."""
    rule_errors: Mapping[str, int]
    unmatched: int
    rules: int
    skipped: int = 0
    """Checks left out of lines that look made to hold xenwatch up."""
    left_out: int = 0
    """Lines left out because the agent died in them before."""
    pushed_out: int = 0
    """Incidents that ended because there were too many."""


def diagnosis_families(counts: DiagnosisCounts) -> Iterator[Metric]:
    """What the rules matched."""
    matches = CounterMetricFamily(
        "xenwatch_log_matches", "Log records that a rule's signature recognised", labels=["rule", "stream", "severity"]
    )
    for labels, count in sorted(counts.matches.items()):
        matches.add_metric(list(labels), count)
    yield matches
    errors = CounterMetricFamily(
        "xenwatch_diagnosis_rule_errors", "Times a rule could not be evaluated", labels=["rule"]
    )
    for rule, count in sorted(counts.rule_errors.items()):
        errors.add_metric([rule], count)
    yield errors
    yield counter("xenwatch_log_unmatched_errors", "Log records at error level that no rule matches", counts.unmatched)
    yield counter(
        "xenwatch_log_checks_skipped",
        "Checks left out of lines that look made to hold xenwatch up",
        counts.skipped,
    )
    yield counter(
        "xenwatch_log_lines_left_out", "Lines left out because the agent died in them before", counts.left_out
    )
    yield counter(
        "xenwatch_incidents_pushed_out",
        "Incidents that were not over and ended because there were too many to watch",
        counts.pushed_out,
    )
    yield gauge("xenwatch_diagnosis_rules", "Rules in force", counts.rules)


def incident_families(registry: IncidentRegistry, external_url: str = "") -> Iterator[Metric]:
    """How incidents reach Alertmanager. An explained symptom is not open: its cause is."""
    opened = GaugeMetricFamily(
        "xenwatch_incident_open",
        "An open incident that nothing else explains",
        labels=["rule", "class", "severity", "kind", "name"],
    )
    words = InfoMetricFamily("xenwatch_incident", "Texts of an open incident, for alert messages", labels=[])
    states = Counter(dict.fromkeys(MOVES, 0))
    shown: set[tuple[str, ...]] = set()
    for incident in registry.incidents.values():
        diagnosis = incident.diagnosis
        states[incident.state] += 1
        subject = diagnosis.subject
        labels = (diagnosis.rule, diagnosis.class_, diagnosis.severity, subject.kind, as_unicode(subject.name))
        if incident.state == "open" and labels not in shown:
            shown.add(labels)
            opened.add_metric(list(labels), 1)
            words.add_metric([], _words(incident, external_url))
    yield opened
    yield words
    by_state = GaugeMetricFamily("xenwatch_incidents_known", "Incidents in memory", labels=["state"])
    for state, count in states.items():
        by_state.add_metric([state], count)
    yield by_state
    total = CounterMetricFamily(
        "xenwatch_incidents", "Incidents that opened or came back", labels=["rule", "class", "severity"]
    )
    for labels_, count in sorted(registry.opened.items()):
        total.add_metric(list(labels_), count)
    yield total


def host_check_families(results: Iterable[CheckResult]) -> Iterator[Metric]:
    """What `check host` finds; a check that could not be made has no series."""
    found = GaugeMetricFamily(
        "xenwatch_host_check",
        "Whether a standing check of the host found something; absent where it could not be made",
        labels=["check", "severity"],
    )
    for result in results:
        if result.verdict != "unknown":
            found.add_metric([result.rule.id, result.rule.severity], float(bool(result.found)))
    yield found


def _words(incident: Incident, external_url: str) -> dict[str, str]:
    """Texts change while an incident lasts, so they are apart from the series that alerts depend on."""
    diagnosis = incident.diagnosis
    lines = (e.origin for e in diagnosis.evidence if isinstance(e.origin, LogRecord))
    texts = [f"{line.source.path}:{line.position.line or '?'}: {line.text}" for line in lines]
    texts += [evidence.summary for evidence in diagnosis.evidence]
    words = {"title": diagnosis.title, "cause": diagnosis.cause, "evidence": texts[0] if texts else ""}
    return {
        "id": incident.id,
        "rule": diagnosis.rule,
        "kind": diagnosis.subject.kind,
        "name": as_unicode(diagnosis.subject.name),
        **{name: _short(text) for name, text in words.items()},
        **({"url": f"{external_url}/incidents/{incident.id}"} if external_url else {}),
    }


def _short(text: str) -> str:
    """On one line and bounded: a guest may have written it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return as_unicode(line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…")


def state_families(writer: Writer, store: Store, agent: AgentCounters, wall_of: float) -> Iterator[Metric]:
    """The state database. `wall_of`: wall clock minus monotonic, to tell when the last commit was."""
    yield counter("xenwatch_state_commits", "Commits to the state database", writer.commits)
    yield counter(
        "xenwatch_state_commit_errors",
        "Commits that failed; the changes are kept and tried again",
        agent.state_errors,
    )
    yield gauge(
        "xenwatch_state_incidents_waiting", "Changed incidents that are not in the database yet", writer.waiting
    )
    yield counter(
        "xenwatch_state_databases_moved_aside", "Damaged state databases that were replaced", store.moved_aside
    )
    if writer.last_commit is not None:
        yield gauge(
            "xenwatch_state_last_commit_timestamp_seconds",
            "When state was last committed",
            writer.last_commit + wall_of,
        )


def exposition_families(exposition: Exposition) -> Iterator[Metric]:
    """The rendering of what was sampled."""
    yield gauge("xenwatch_exposition_samples", "Samples of the last sampling cycle", exposition.samples)
    yield gauge(
        "xenwatch_exposition_render_duration_seconds",
        "How long rendering the last cycle took",
        exposition.render_seconds,
    )
