"""What a whole batch says: failures by class, version and host, what no rule knows, and what is new."""

from collections import Counter
from dataclasses import dataclass, field

from xenwatch.triage.batch.baseline import Baseline
from xenwatch.triage.batch.result import NOT_NAMED, BundleFailure, BundleResult, FailureKey
from xenwatch.triage.batch.unread_kinds import UnreadAcross, UnreadAcrossBundles


@dataclass(slots=True)
class Tally:
    """What of the batch has one class, one version of Xen or one host in common."""

    read: int = 0
    """Bundles that have it in common."""
    affected: int = 0
    """Those of them with a failure."""
    failures: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """By class; of a class, by rule."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A failure and where it is."""

    place: str
    failure: BundleFailure


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside the earlier one."""

    new: tuple[Placed, ...]
    gone: tuple[Placed, ...]
    unread: tuple[UnreadAcross, ...]
    """Kinds of unknown lines that the earlier run did not have."""


class BatchSummary:
    """Takes in result after result and keeps counts, never the reports."""

    def __init__(self, baseline: Baseline | None = None) -> None:
        self._baseline = baseline
        self.read = self.with_failures = self.failures = 0
        self.errors: list[tuple[str, str]] = []
        """Bundles that could not be read, and why."""
        self.classes: dict[str, Tally] = {}
        self.versions: dict[str, Tally] = {}
        self.hosts: dict[str, Tally] = {}
        self.unread = UnreadAcrossBundles()
        self._found: dict[FailureKey, BundleFailure] = {}

    def add(self, result: BundleResult) -> None:
        """One more bundle was read, or could not be."""
        if result.report is None:
            self.errors.append((result.bundle, result.error or "no result"))
            return
        failures = list(result.failures)
        self.read += 1
        self.with_failures += bool(failures)
        self.failures += len(failures)
        self.unread.add(result.bundle, result.unread)
        if self._baseline is not None:
            self._found.update({result.key(failure): failure for failure in failures})
        self._count_classes(failures)
        for version in result.versions or (NOT_NAMED,):
            _count(self.versions, version, failures, [failure.class_ for failure in failures])
        self._count_hosts(result, failures)

    @property
    def seen(self) -> int:
        """Bundles in all, readable or not."""
        return self.read + len(self.errors)

    @property
    def compared(self) -> Comparison | None:
        """None where there is no earlier run to compare with."""
        if self._baseline is None:
            return None
        before = self._baseline.failures
        new = (Placed(key.place, failure) for key, failure in self._found.items() if key not in before)
        gone = (Placed(key.place, failure) for key, failure in before.items() if key not in self._found)
        unread = self.unread.unlike(self._baseline.shapes)
        return Comparison(tuple(new), tuple(gone), tuple(unread))

    @property
    def exit_code(self) -> int:
        """As of one report: 1 failures, 3 only lines that no rule knows, 0 neither; 2 where nothing could be read."""
        if not self.read:
            return 2
        if self.failures:
            return 1
        return 3 if self.unread.kinds else 0

    def _count_classes(self, failures: list[BundleFailure]) -> None:
        for class_ in {failure.class_ for failure in failures}:
            own = [failure for failure in failures if failure.class_ == class_]
            _count(self.classes, class_, own, [failure.rule for failure in own])

    def _count_hosts(self, result: BundleResult, failures: list[BundleFailure]) -> None:
        named = {failure.host or NOT_NAMED for failure in failures}
        for host in named | set(result.hosts or (NOT_NAMED,)):
            own = [failure for failure in failures if (failure.host or NOT_NAMED) == host]
            _count(self.hosts, host, own, [failure.class_ for failure in own])


def _count(tallies: dict[str, Tally], name: str, failures: list[BundleFailure], kinds: list[str]) -> None:
    tally = tallies.setdefault(name, Tally())
    tally.read += 1
    tally.affected += bool(failures)
    tally.failures += len(failures)
    tally.kinds.update(kinds)
