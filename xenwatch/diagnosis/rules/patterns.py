"""A signature's regular expression: one set of flags for loader, scanner and lints."""

import re
from functools import lru_cache

FLAGS = re.MULTILINE | re.ASCII
r"""`^` and `$` are ends of lines; `\w`, `\d` and `\s` mean ASCII, as they do for the scanner of raw bytes."""


@lru_cache(maxsize=8192)
def compiled(regex: str) -> re.Pattern[str]:
    """Compiled on first use: most rules never see a candidate, and a library of 300 must load in a moment."""
    return re.compile(regex, FLAGS)


def check_regex(regex: str) -> None:
    """ValueError, in words, where `regex` is not one or matches everywhere."""
    try:
        pattern = compiled(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if pattern.search(""):
        raise ValueError("matches the empty text, so it would match every record")
