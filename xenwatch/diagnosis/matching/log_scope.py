"""Which formats a signature is looked for in: the ones it names, and those in which its text also turns up."""

import re

from xenwatch.diagnosis.rules.rule import Signature
from xenwatch.model.record import LogFormat

GUEST_STREAM = "console"
"""The stream a signature names to see what guests write, also where a host's log quotes them."""


def seen_in(signature: Signature, format_: LogFormat) -> bool:
    """Whether the signature is looked for in the lines of a format (in a guest's log: about that guest alone)."""
    if format_.guest_written:
        return format_.name in signature.streams or GUEST_STREAM in signature.streams
    if not signature.streams or format_.name in signature.streams:
        return True
    if set(signature.streams) == {GUEST_STREAM}:
        return False
    return format_.carries_any or not format_.carries.isdisjoint(signature.streams)


def seen_in_guest_lines(signature: Signature) -> bool:
    """Whether the signature is looked for in lines of a host's log that quote a guest."""
    return GUEST_STREAM in signature.streams


def names(signature: Signature, program: str) -> bool:
    """Whether the signature is about what that program says: its text or its source has the program's name."""
    name = re.escape(program.strip("()").rpartition("/")[2])
    return re.search(rf"(?<![\w-]){name}(?![\w-])", f"{signature.regex}\n{signature.source}") is not None
