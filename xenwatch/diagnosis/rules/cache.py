"""The parsed rule library, kept on disk: three hundred YAML files are read once, not at each start."""

import hashlib
import logging
import os
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path

from xenwatch.base.atomic_file import write_atomically
from xenwatch.diagnosis.rules.paths import rule_files
from xenwatch.diagnosis.rules.rule import Rule

log = logging.getLogger(__name__)

_CODE = ("rule.py", "loader.py", "parse.py", "schema.py", "validate.py", "yaml_tree.py", "patterns.py",
         "aliases.py", "naming.py")  # fmt: skip


def load_library(paths: Iterable[Path], cache: Path | None = None) -> tuple[Rule, ...]:
    """Every rule at and under `paths`. `cache` is a private folder of ours: what lies there is trusted.

    Raises RuleError with all problems of all files.
    """
    files = rule_files(paths)
    kept = cache / f"rules-{_key(files)}.pickle" if cache else None
    if kept is not None:
        rules = _load(kept)
        if rules is not None:
            return rules
    from xenwatch.diagnosis.rules.loader import load_rules  # noqa: PLC0415  YAML and schema, for a new library alone

    rules = load_rules(files)
    if kept is not None:
        _keep(kept, rules)
    return rules


def _load(kept: Path) -> tuple[Rule, ...] | None:
    try:
        # Only a file that we alone could have written: unpickling runs code.
        if not _ours(kept) or not _ours(kept.parent):
            return None
        rules = pickle.loads(kept.read_bytes())  # noqa: S301  see the line above
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001  a torn pickle raises anything; the rule files are still there
        log.info("the kept rules in %s cannot be used (%s); reading the rule files", kept, error)
        return None
    return rules if isinstance(rules, tuple) else None


def _ours(path: Path) -> bool:
    status = path.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _keep(kept: Path, rules: Sequence[Rule]) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(kept, pickle.dumps(tuple(rules), protocol=pickle.HIGHEST_PROTOCOL))
        for old in sorted(kept.parent.glob("rules-*.pickle"), key=lambda p: p.stat().st_mtime)[:-4]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("the parsed rules cannot be kept: %s", error)


def _key(files: Sequence[Path]) -> str:
    """Of the contents and names of the rule files, and of the code that reads them."""
    digest = hashlib.sha256()
    for path in [*(Path(__file__).with_name(name) for name in _CODE), *files]:
        digest.update(str(path).encode() + b"\0")
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"no file")
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()[:32]
