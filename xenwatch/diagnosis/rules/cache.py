"""The parsed rule library, kept on disk: three hundred YAML files are read once, not at each start."""

import hashlib
import logging
import os
import pickle
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from xenwatch.base import lazy_re as re
from xenwatch.base.atomic_file import write_atomically
from xenwatch.base.dataclass_pickle import DataclassPickler
from xenwatch.diagnosis.prepared import prepared_folder
from xenwatch.diagnosis.rules.paths import rule_files, stamp_of
from xenwatch.diagnosis.rules.rule import Rule

log = logging.getLogger(__name__)

KEPT = 8
"""Parsed libraries that are kept: whole and short ones, of the last few versions of the rules."""
_KEY = re.compile(r"[0-9a-f]{32}")
_CODE = ("rule.py", "loader.py", "parse.py", "schema.py", "validate.py", "yaml_tree.py", "patterns.py",
         "aliases.py", "naming.py")  # fmt: skip


def load_library(paths: Iterable[Path], cache: Path | None = None, *, whole: bool = True) -> tuple[Rule, ...]:
    """Every rule at and under `paths`. `cache` is a private folder of ours: what lies there is trusted.

    `whole`: with tests and line numbers, which only the tools of a rule's author need: they are two thirds of all.
    Raises RuleError with all problems of all files.
    """
    sought = tuple(paths)
    kept = cache / f"rules-{_content_key(sought, cache)}{'' if whole else '-short'}.pickle" if cache else None
    if kept is not None:
        rules = _load(kept)
        if rules is not None:
            return rules
    found = rule_files(sought)
    rules = None if whole else load_prepared(found)
    if rules is None:
        from xenwatch.diagnosis.rules.loader import load_rules  # noqa: PLC0415  YAML and schema, for a new library alone

        rules = load_rules(found)
        rules = rules if whole else _shortened(rules)
    if kept is not None:
        _keep(kept, _pickled(tuple(rules)))
    return rules


def write_prepared(rules_folder: Path, folder: Path) -> None:
    """For the package: the short library of the rules in that folder, so that a first start has none to read."""
    found = rule_files([rules_folder])
    rules = _shortened(load_library([rules_folder]))
    root = _root(found)
    relative = tuple(replace(rule, file=rule.file.relative_to(root)) for rule in rules)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _prepared_name(found), _pickled(relative))


def load_prepared(found: Sequence[Path], folder: Path | None = None) -> tuple[Rule, ...] | None:
    """What the package holds of exactly these rules, read by exactly this code; None where it holds nothing of them."""
    folder = folder or prepared_folder()
    if not folder.is_dir() or not found:
        return None
    rules, root = _load(folder / _prepared_name(found)), _root(found)
    return None if rules is None else tuple(replace(rule, file=root / rule.file) for rule in rules)


def _prepared_name(found: Sequence[Path]) -> str:
    return f"rules-{_key(found, _root(found))}.pickle"


def _root(found: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([str(path) for path in found]))


def _shortened(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    return tuple(replace(rule, tests=(), lines={}) for rule in rules)


def _load(kept: Path) -> tuple[Rule, ...] | None:
    try:
        # Only a file that we alone, or root, could have written: unpickling runs code.
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
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022


def _keep(kept: Path, content: bytes) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(kept, content)
        for old in sorted(kept.parent.glob(f"rules-*{kept.suffix}"), key=lambda p: p.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("the parsed rules cannot be kept: %s", error)


def _pickled(rules: tuple[Rule, ...]) -> bytes:
    buffer = BytesIO()
    DataclassPickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(rules)
    return buffer.getvalue()


def _content_key(paths: Sequence[Path], cache: Path) -> str:
    """As `_key`, kept by what the folders say of the files: six hundred are not opened where none has changed."""
    stamp = stamp_of([*(str(Path(__file__).with_name(name)) for name in _CODE), *map(str, paths)])
    if stamp is None:
        return _key(rule_files(paths))
    seen = cache / f"rules-{stamp}.key"
    try:
        if _ours(seen) and _ours(cache) and _KEY.fullmatch(key := seen.read_text()):
            return key
    except (OSError, ValueError):
        pass
    key = _key(rule_files(paths))
    _keep(seen, key.encode())
    return key


def _key(found: Sequence[Path], root: Path | None = None) -> str:
    """Of the contents and names of the rule files, and of the code that reads them; names below `root` where given."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in [*(here / name for name in _CODE), *found]:
        name = path if root is None else path.relative_to(root if path.is_relative_to(root) else here)
        digest.update(str(name).encode() + b"\0")
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"no file")
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()[:32]
