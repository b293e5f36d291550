"""Signatures in one Hyperscan database that reads whole chunks; compiled once and kept on disk."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hyperscan

from xenwatch.base.atomic_file import write_atomically
from xenwatch.diagnosis.matching import bytes_regex as rawform
from xenwatch.diagnosis.matching import literals
from xenwatch.diagnosis.matching import reduce as scanform
from xenwatch.diagnosis.matching.long_lines import MOST_HITS, long_lines, windows
from xenwatch.diagnosis.matching.prefilter import Candidate

log = logging.getLogger(__name__)

KEPT = 64
"""Compiled databases that are kept: one a format, of the last few versions of the rules."""

# No SOM: 100 patterns with it are "too large" (intel/hyperscan#395). No SINGLEMATCH: in a chunk it would report a
# signature once, whatever number of records match.
_FLAGS: int = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE
_VERSION = str(getattr(hyperscan, "__version__", ""))


class HyperscanPrefilter:
    """`regexes` may hold some that cannot be compiled for it; those are in `everywhere`."""

    name = "hyperscan"

    def __init__(self, regexes: Sequence[str], cache: Path | None = None) -> None:
        kept = kept_file(regexes, cache) if cache and regexes else None
        loaded = _load(kept) if kept is not None else None
        self._database, self.everywhere = loaded or _made(regexes)
        self.stopped = 0
        if kept is not None and loaded is None and self._database is not None:
            _keep(kept, self._database, self.everywhere)

    def candidates(self, data: bytes) -> list[Candidate]:
        if self._database is None or not data:
            return []
        long = long_lines(data)
        if not long:
            return sorted(self._all(data, 0))
        found: set[Candidate] = set()  # what lies at the edge of a long line is seen twice
        begin = 0
        for line, end in [*long, (len(data), len(data))]:
            found.update(self._all(data[begin:line], begin), self._some(data, line, end))
            begin = end
        return sorted(found)

    def _all(self, data: bytes, offset: int) -> list[Candidate]:
        """Every hit."""
        found: list[Candidate] = []
        add = found.append
        self._scan(data, lambda index, _start, end, _flags, _context: add((offset + end, index)))
        return found

    def _some(self, data: bytes, begin: int, end: int) -> Iterator[Candidate]:
        """In a line without end, one hit of each signature in each window: the record is the same for all of them."""
        for start, stop in windows(begin, end):
            yield from ((start + behind, index) for index, behind in self._first_of_each(data[start:stop]).items())

    def _first_of_each(self, data: bytes) -> dict[int, int]:
        first: dict[int, int] = {}

        left = MOST_HITS

        def note(index: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            nonlocal left
            left -= 1
            if index not in first:
                first[index] = end
            return left <= 0

        try:
            self._scan(data, note)
        except hyperscan.ScanTerminated:
            self.stopped += 1
        return first

    def _scan(self, data: bytes, on_hit: Callable[[int, int, int, int, object], bool | None]) -> None:
        if data and self._database is not None:
            self._database.scan(data, match_event_handler=on_hit)


def kept_file(regexes: Sequence[str], cache: Path) -> Path:
    """Where the compiled database of these lies, or will."""
    return cache / f"signatures-{_key(regexes)}.hs"


def compiles(form: str) -> bool:
    """Whether Hyperscan takes this raw form by itself."""
    try:
        _compiled([(0, form)])
    except hyperscan.HyperscanError:
        return False
    return True


def _made(regexes: Sequence[str]) -> tuple[hyperscan.Database | None, tuple[int, ...]]:
    """The database, and the indexes that are not in it."""
    forms = [(index, form) for index, regex in enumerate(regexes) if (form := scanform.scan_form(regex)) is not None]
    try:
        database = _compiled(forms) if forms else None
    except hyperscan.HyperscanError:  # it does not say which pattern it could not take
        forms = [(index, form) for index, form in forms if compiles(form)]
        database = _compiled(forms) if forms else None
    usable = {index for index, _ in forms}
    return database, tuple(index for index in range(len(regexes)) if index not in usable)


def _compiled(forms: list[tuple[int, str]]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[form.encode("latin-1") for _, form in forms],
        ids=[index for index, _ in forms],
        elements=len(forms),
        flags=[_FLAGS] * len(forms),
    )
    return database


def _load(kept: Path) -> tuple[hyperscan.Database, tuple[int, ...]] | None:
    try:
        head, _, content = kept.read_bytes().partition(b"\n")
        everywhere = tuple(int(index) for index in json.loads(head))
        database = hyperscan.loadb(content, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)  # without it scan() says InvalidError
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, hyperscan.HyperscanError) as error:
        log.info("the compiled signatures in %s cannot be used (%s); compiling again", kept, error)
        return None
    return database, everywhere


def _keep(kept: Path, database: hyperscan.Database, everywhere: tuple[int, ...]) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(kept, json.dumps(everywhere).encode() + b"\n" + hyperscan.dumpb(database))
        for old in sorted(kept.parent.glob("signatures-*.hs"), key=lambda p: p.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("the compiled signatures cannot be kept: %s", error)


def _key(regexes: Sequence[str]) -> str:
    """Of the patterns, of how they are rewritten, of Hyperscan and of the kind of machine.

    A database of another processor is refused when it is loaded.
    """
    machine = (_VERSION, os.uname().machine, _FLAGS)
    digest = hashlib.sha256(repr((list(regexes), machine)).encode())
    for module in (literals, rawform, scanform):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:32]
