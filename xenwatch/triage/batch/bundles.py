"""Which bundles a batch reads: the entries of a folder, the lines of a list, or the paths themselves."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from xenwatch.base.errors import InputError

_LONGEST_LIST = 64 * 1024**2
_FIRST_LINES = 20


def bundles_of(paths: Sequence[str]) -> tuple[str, ...]:
    """Each bundle once. Raises InputError where a path does not exist or none of them holds a bundle."""
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        raise InputError(f"no such file or folder: {', '.join(missing)}")
    bundles = tuple(dict.fromkeys(bundle for path in paths for bundle in _below(Path(path))))
    if not bundles:
        raise InputError(f"there is no bundle in {', '.join(paths)}")
    return bundles


def _below(path: Path) -> Iterator[str]:
    """A folder stands for its entries: a bundle that is a folder is named by the folder above it, or in a list."""
    if path.is_dir():
        yield from sorted(str(entry) for entry in path.iterdir() if not entry.name.startswith("."))
    elif (lines := _list_lines(path)) is not None:
        yield from lines
    else:
        yield str(path)


def _list_lines(path: Path) -> list[str] | None:
    """The paths that a list names; None for a file that is itself a bundle: a log or an archive.

    A list is text in which one of the first lines is the path of something that exists.
    """
    if not path.is_file() or path.stat().st_size > _LONGEST_LIST:
        return None
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (UnicodeDecodeError, OSError):
        return None
    named = [line for line in lines if line and not line.startswith("#")]
    return named if any(_exists(line) for line in islice(named, _FIRST_LINES)) else None


def _exists(line: str) -> bool:
    try:
        return Path(line).exists()
    except (OSError, ValueError):  # a line of a log may be too long for a path
        return False
