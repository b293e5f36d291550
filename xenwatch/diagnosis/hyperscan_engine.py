"""All signatures in one Hyperscan database that reads whole chunks; compiled once and kept on disk."""

import hashlib
import logging
import platform
from collections.abc import Sequence
from pathlib import Path

import hyperscan

from xenwatch.diagnosis.cachefile import write_atomically
from xenwatch.diagnosis.rawform import raw_form
from xenwatch.diagnosis.signatures import Candidate

log = logging.getLogger(__name__)

# No SOM: 100 patterns with it are "too large" (intel/hyperscan#395). No SINGLEMATCH: in a chunk it would report a
# signature once, whatever number of records match.
_FLAGS: int = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE


class HyperscanEngine:
    """`regexes` may hold some that cannot be compiled for it; those are in `everywhere`."""

    name = "hyperscan"

    def __init__(self, regexes: Sequence[str], cache: Path | None = None) -> None:
        forms = [(index, form) for index, regex in enumerate(regexes) if (form := raw_form(regex)) is not None]
        try:
            self._database = _database(forms, cache) if forms else None
        except hyperscan.HyperscanError:  # it does not say which pattern it could not take
            forms = [(index, form) for index, form in forms if compiles(form)]
            self._database = _database(forms, cache) if forms else None
        usable = {index for index, _ in forms}
        self.everywhere = tuple(index for index in range(len(regexes)) if index not in usable)

    def candidates(self, data: bytes) -> list[Candidate]:
        found: list[Candidate] = []
        if self._database is not None and data:
            add = found.append
            self._database.scan(
                data, match_event_handler=lambda index, _start, end, _flags, _context: add((end, index))
            )
            found.sort()
        return found


def compiles(form: str) -> bool:
    """Whether Hyperscan takes this pattern by itself."""
    try:
        _compiled([(0, form)])
    except hyperscan.HyperscanError:
        return False
    return True


def _compiled(forms: list[tuple[int, str]]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[form.encode("latin-1") for _, form in forms],
        ids=[index for index, _ in forms],
        elements=len(forms),
        flags=[_FLAGS] * len(forms),
    )
    return database


def _database(forms: list[tuple[int, str]], cache: Path | None) -> hyperscan.Database:
    kept = cache / f"signatures-{_key(forms)}.hs" if cache else None
    if kept is not None:
        loaded = _load(kept)
        if loaded is not None:
            return loaded
    database = _compiled(forms)
    if kept is not None:
        _keep(kept, hyperscan.dumpb(database))
    return database


def _load(kept: Path) -> hyperscan.Database | None:
    try:
        database = hyperscan.loadb(kept.read_bytes(), hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)  # without it scan() says InvalidError
    except FileNotFoundError:
        return None
    except (OSError, hyperscan.HyperscanError) as error:
        log.info("the compiled signatures in %s cannot be used (%s); compiling again", kept, error)
        return None
    return database


def _keep(kept: Path, content: bytes) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, content)
        for old in sorted(kept.parent.glob("signatures-*.hs"), key=lambda p: p.stat().st_mtime)[:-4]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("the compiled signatures cannot be kept: %s", error)


def _key(forms: list[tuple[int, str]]) -> str:
    described = repr((forms, _FLAGS, hyperscan.__version__, platform.machine(), platform.processor()))
    return hashlib.sha256(described.encode()).hexdigest()[:32]
