"""What stayed unknown, in words that read well: facts nobody told, and names that no line of the log gave."""

import re
from collections.abc import Collection

_NOT_KNOWN = " is not known here"
"""The diagnosis' own words for a fact that nobody told."""
_GAP = r"<[a-z_][a-z0-9_]*>"
"""A field of a rule's sentence that was not captured."""
_ASIDE = re.compile(rf"\s*\([^()]*{_GAP}[^()]*\)")
_NAME = re.compile(r"<([a-z_][a-z0-9_]*)>")


def unknown_text(unchecked: Collection[str]) -> str:
    """What the host was not there to be asked, in one sentence: `bridge.names, loop.files: what was read …`."""
    names = [one.removesuffix(_NOT_KNOWN) for one in unchecked if one.endswith(_NOT_KNOWN)]
    others = [one for one in unchecked if not one.endswith(_NOT_KNOWN)]
    told = [f"{', '.join(names)}: what was read does not tell"] if names else []
    return "; ".join([*told, *others])


def without_gaps(text: str) -> str:
    """A sentence without its `<field>`s: an aside that has one goes, elsewhere `<device>` is the device."""
    said = _NAME.sub(lambda gap: f"the {gap[1].replace('_', ' ')}", _ASIDE.sub("", text))
    return said[:1].upper() + said[1:] if text.startswith("<") else said
