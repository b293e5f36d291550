"""What this process has done and who consented to what: its own file, which the agent can neither change nor replace.

Each line is on the disk before the effect that it tells of. After `kill -9` an order that was begun and has no end is
never begun again.
"""

import json
import os
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import NotJson, StoreError
from xenwatch.host.privileged.wire import decode

_STORM_NOTED_EVERY = 60.0
KEEP = 90 * 86400.0
"""Seconds, while the host is up, for which lines are kept when the file is read again."""


@dataclass(frozen=True, slots=True)
class Start:
    """The first order of a run: it takes one action from every budget."""

    run: str
    action: str
    target: str
    host: str
    risk: str
    at: float


@dataclass(frozen=True, slots=True)
class Consent:
    """A person agreed to one plan of one run."""

    run: str
    plan_hash: str
    who: str
    at: float


class Ledger:
    """One process holds it open. `at` counts seconds the host was up: no reboot and no stepped clock gives back."""

    def __init__(self, path: Path, clock: Clock, boot: str) -> None:
        """StoreError where the file is damaged: then nothing is done until a person looked at it."""
        self._path, self._clock, self._boot = path, clock, boot
        self._anchor: tuple[str, float, float] = (boot, clock.monotonic(), 0.0)
        self.starts: list[Start] = []
        self.consents: dict[str, Consent] = {}
        self._begun: dict[str, int] = defaultdict(int)
        self._ended: dict[str, int] = defaultdict(int)
        self.highest_token: dict[str, int] = defaultdict(int)
        self.off_by = ""
        """Who switched remediation off; empty: it is on."""
        self.storm_at = float("-inf")
        """When too many guests were to be repaired at once, last."""
        self._counted: list[str] = []
        """Runs since a person closed the circuit breaker, in the order in which they began."""
        self._failed: set[str] = set()
        try:
            lines = list(_lines(path))
            for line in lines:
                self._take(line)
            self._file = self._rewritten(lines)
        except (OSError, NotJson, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path}: the ledger of effects cannot be read: {error}") from error

    @property
    def now(self) -> float:
        boot, monotonic, at = self._anchor
        return at + max(0.0, self._clock.monotonic() - monotonic) if boot == self._boot else at

    def begun(self, run: str) -> int:
        """How many orders of a run were begun."""
        return self._begun[run]

    def is_open(self, run: str) -> bool:
        """Whether its last order has no end: it is being carried out, or nobody knows how it ended."""
        return self._begun[run] > self._ended[run]

    def consent(self, run: str, plan_hash: str, who: str) -> None:
        """Record who agreed to a plan."""
        self._append("consent", asdict(Consent(run, plan_hash, who, self.now)))

    def start(self, start: Start) -> None:
        """Record that a run takes its budget."""
        self._append("start", asdict(start))

    def begin(self, run: str, order: int, target: str, token: int, words: str) -> None:
        """Record that an order is about to be carried out; on the disk when this returns."""
        self._append("begin", {"run": run, "order": order, "target": target, "token": token, "words": words})

    def end(self, run: str, order: int, summary: str, *, ok: bool) -> None:
        """Record how it ended."""
        self._append("end", {"run": run, "order": order, "summary": summary[:500], "ok": ok})

    def fail(self, run: str) -> None:
        """Record that what an order was for did not come about."""
        self._append("failed", {"run": run})

    def failures(self, active: Container[str]) -> int:
        """How many runs in a row failed, or have an order that nobody knows the end of. Those that act do not count."""
        failures = 0
        for run in reversed([run for run in self._counted if run not in active]):
            if run not in self._failed and not self.is_open(run):
                break
            failures += 1
        return failures

    def close_breaker(self, who: str) -> None:
        """Record that a person looked at the failures."""
        self._append("closed", {"who": who})

    def switch(self, *, off: bool, who: str) -> None:
        """Record that a person switched remediation off, or on again."""
        self._append("switch", {"off": off, "who": who})

    def storm(self) -> None:
        """Record that too much was to be repaired at once; whoever asks on and on does not fill the disk."""
        if self.now - self.storm_at > _STORM_NOTED_EVERY:
            self._append("storm", {})
        self.storm_at = self.now

    def close(self) -> None:
        os.close(self._file)

    def _append(self, what: str, facts: Mapping[str, Any]) -> None:
        line = {"what": what, "wall": self._clock.now(), "now": self.now, "monotonic": self._clock.monotonic(),
                "boot": self._boot, **facts}  # fmt: skip
        try:
            os.write(self._file, _encoded(line))
            os.fsync(self._file)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from error
        self._take(line)

    def _take(self, line: Mapping[str, Any]) -> None:
        what, run = line["what"], str(line.get("run", ""))
        self._anchor = (str(line["boot"]), float(line["monotonic"]), float(line["now"]))
        if what == "consent":
            self.consents[run] = Consent(run, str(line["plan_hash"]), str(line["who"]), float(line["at"]))
        elif what == "start":
            self.starts.append(Start(**{key: line[key] for key in Start.__slots__}))
            self._counted.append(run)
        elif what == "begin":
            self._begun[run] = max(self._begun[run], int(line["order"]) + 1)
            self.highest_token[line["target"]] = max(self.highest_token[line["target"]], int(line["token"]))
        elif what == "end":
            self._ended[run] = max(self._ended[run], int(line["order"]) + 1)
            if not line.get("ok", True):
                self._failed.add(run)
        else:
            self._take_brake(what, line)

    def _take_brake(self, what: str, line: Mapping[str, Any]) -> None:
        if what == "failed":
            self._failed.add(str(line["run"]))
        elif what == "closed":
            self._counted.clear()
        elif what == "switch":
            self.off_by = str(line["who"]) if line["off"] else ""
        elif what == "storm":
            self.storm_at = float(line["now"])

    def _rewritten(self, lines: list[dict[str, Any]]) -> int:
        """The file without what is old and without a line that a power cut left half, made beside it and moved over."""
        oldest = self.now - KEEP
        self.starts = [start for start in self.starts if start.at >= oldest]
        new = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(new, flags, 0o600)
        for line in lines:
            if float(line["now"]) >= oldest or line["what"] == "switch":
                os.write(file, _encoded(line))
        os.fsync(file)
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        os.fsync(folder)
        os.close(folder)
        return file


def _encoded(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, sort_keys=True).encode("ascii") + b"\n"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The last line may be half: then the effect that it announced was never begun."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    *whole, _half = content.split(b"\n")
    for line in whole:
        yield decode(line)
