"""What a message is apart from its numbers, so that messages of one kind are counted together."""

from xenwatch.base import lazy_re as re

_VARIABLE = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\d+")


def text_shape(text: str) -> str:
    """The text with `#` for each number, address and UUID. All lines count: one Traceback is not like another."""
    return _VARIABLE.sub("#", text)
