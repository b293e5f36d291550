"""Output of `xl info` and `xm info`: lines of `key : value`."""

from collections.abc import Mapping

from xenwatch.base import lazy_re as re

_LINE = re.compile(r"^(?P<key>[a-z_][a-z0-9_]*)\s*: ?(?P<value>.*)$", re.MULTILINE)


def parse_info(text: str) -> dict[str, str]:
    """Every key with its value as printed, ends stripped; `total_memory` and `free_memory` are in MiB."""
    return {found["key"]: found["value"].strip() for found in _LINE.finditer(text)}


def mebibytes(info: Mapping[str, str], key: str) -> int | None:
    """A value in MiB as bytes; None where it is missing or no number."""
    value = info.get(key, "")
    return int(value) * 1024**2 if value.isdigit() else None
