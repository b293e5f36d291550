"""What stayed unknown, in words that read well: facts that no source gave, and names that no line of the log held."""

from collections.abc import Collection

from xenwatch.base import lazy_re as re

_NOT_KNOWN = " is not known here"
"""The diagnosis' own words for a fact that no source gave."""
_GAP = r"<[a-z_][a-z0-9_]*>"
"""A field of a rule's sentence that was not captured."""
_PARENTHESIS = re.compile(rf"\s*\([^()]*{_GAP}[^()]*\)")
_NAME = re.compile(r"<([a-z_][a-z0-9_]*)>")


def not_checked_text(unchecked: Collection[str]) -> str:
    """What could not be looked up, in one sentence: `bridge.names, loop.files: not in what was read`."""
    facts = [text.removesuffix(_NOT_KNOWN) for text in unchecked if text.endswith(_NOT_KNOWN)]
    others = [text for text in unchecked if not text.endswith(_NOT_KNOWN)]
    return "; ".join([*([f"{', '.join(facts)}: not in what was read"] if facts else []), *others])


def without_gaps(text: str) -> str:
    """A sentence without its `<field>`s: a parenthesis that has one goes, elsewhere `<device>` is the device."""
    sentence = _NAME.sub(lambda gap: f"the {gap[1].replace('_', ' ')}", _PARENTHESIS.sub("", text))
    return sentence[:1].upper() + sentence[1:] if text.startswith("<") else sentence
