"""What a batch says of one bundle: its report, or why there is none; one line of the file of results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

from xenwatch.base.errors import InvalidValue

VERSION = 1
NOT_NAMED = "(not named)"
"""In the place of a host or a version that no bundle names."""


class BundleFailure(NamedTuple):
    """One cause in one bundle: what a batch counts."""

    class_: str
    rule: str
    host: str | None
    subject: str
    severity: str
    summary: str


class FailureKey(NamedTuple):
    """What makes a failure the same as one of an earlier run; a bundle's own name counts where no host is named."""

    place: str
    rule: str
    subject: str


@dataclass(frozen=True, slots=True)
class BundleResult:
    """`report`: what `diagnose --format json` gives for the bundle alone; None where `error` says why there is none."""

    bundle: str
    report: Mapping[str, Any] | None = None
    error: str | None = None
    hosts: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    """The versions of Xen that it names."""
    seconds: float = 0.0

    @property
    def failures(self) -> Iterator[BundleFailure]:
        """The causes; what they explain and what is only good to know does not count."""
        for incident in self._list("incidents"):
            if incident["role"] != "symptom" and incident["severity"] != "info":
                yield self._failure(incident)

    @property
    def unread(self) -> list[Mapping[str, Any]]:
        """The error lines that no rule knows, like by like."""
        return self._list("unmatched_errors")

    def key(self, failure: BundleFailure) -> FailureKey:
        """By what the failure is found again in another run."""
        return FailureKey(failure.host or PurePath(self.bundle).name, failure.rule, failure.subject)

    def _list(self, name: str) -> list[Mapping[str, Any]]:
        return list(self.report[name]) if self.report is not None else []

    def _failure(self, incident: Mapping[str, Any]) -> BundleFailure:
        subject = incident["subject"]
        host = subject.get("host") or (self.hosts[0] if len(self.hosts) == 1 else None)
        about = f"{subject['kind']}/{subject['name']}"
        return BundleFailure(
            incident["class"], incident["rule"], host, about, incident["severity"], incident["summary"]
        )

    def as_json(self) -> dict[str, Any]:
        """The line's object."""
        head: dict[str, Any] = {"version": VERSION, "bundle": self.bundle, "seconds": round(self.seconds, 3)}
        if self.report is None:
            return {**head, "error": self.error}
        return {**head, "hosts": list(self.hosts), "xen": list(self.versions), "report": dict(self.report)}


def result_from_json(line: Any) -> BundleResult:
    """The result that `as_json` gave. Raises InvalidValue for anything else."""
    try:
        report, error = line.get("report"), line.get("error")
        result = BundleResult(
            str(line["bundle"]), report, error, tuple(line.get("hosts", ())), tuple(line.get("xen", ()))
        )
        for failure in result.failures:
            result.key(failure)
    except (AttributeError, KeyError, TypeError):
        raise InvalidValue("not a line that `diagnose --each --output` writes") from None
    return result
