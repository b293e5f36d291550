"""The literals of all signatures, worked out once: by whoever built the package, else at the first start.

Working them out takes longer than all else of a first start, minutes on a slow machine, and follows from the
signatures and the code alone.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from xenwatch.base.atomic_file import write_atomically
from xenwatch.diagnosis.matching.literals import literals
from xenwatch.diagnosis.prepared import prepared_folder

log = logging.getLogger(__name__)

MOST_KEPT = 10_000
"""Beyond, signatures of former rules are dropped from the file."""
_CODE = ("literals.py", "bytes_regex.py")
Literals = tuple[bytes, ...]


def literals_of(regexes: Sequence[str], cache: Path | None) -> list[Literals]:
    """The literals of each signature, from a file where one has them; `cache` is a folder for those worked out here."""
    known: dict[str, Literals] = {}
    for folder in (prepared_folder(), cache):
        if folder is not None:
            known |= _read(folder / _name())
    missing = [regex for regex in regexes if regex not in known]
    known |= {regex: literals(regex) for regex in missing}
    if missing and cache is not None:
        _keep(known if len(known) <= MOST_KEPT else {regex: known[regex] for regex in regexes}, cache)
    return [known[regex] for regex in regexes]


def write_literals(regexes: Iterable[str], folder: Path) -> None:
    """For the package. OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _name(), _json({regex: literals(regex) for regex in regexes}))


def _name() -> str:
    """Other code finds other literals."""
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return f"literals-{digest.hexdigest()[:32]}.json"


def _read(file: Path) -> dict[str, Literals]:
    try:
        content = json.loads(file.read_bytes())
        return {regex: tuple(text.encode("latin-1") for text in texts) for regex, texts in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        log.info("%s cannot be used (%s); its literals are worked out again", file, error)
        return {}


def _keep(known: Mapping[str, Literals], cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in cache.glob("literals-*.json"):
            old.unlink(missing_ok=True)
        write_atomically(cache / _name(), _json(known))
    except OSError as error:
        log.info("the literals cannot be kept: %s", error)


def _json(known: Mapping[str, Literals]) -> bytes:
    return json.dumps({regex: [text.decode("latin-1") for text in texts] for regex, texts in known.items()}).encode()
