"""Marks text that a guest or a log may have written, so that an assistant takes it for data and never for orders."""

from typing import Any

from xenwatch.base.printed_text import printable

MARK = "untrusted"
"""The one key of the object that such a text becomes: inside a JSON string no text can leave it."""

_OWN = frozenset({
    "acknowledged_until", "actor", "area", "at", "class", "depth", "explained_by", "explains", "first", "first_seen",
    "format", "id", "incidents_of", "kind", "last", "last_seen", "metric", "new", "old", "resolved", "role", "rule",
    "run", "severity", "started", "state", "until", "what",
})  # fmt: skip
"""Keys of what xenwatch says in its own words: ids, states, times. The text below any other key is marked."""
_FOREIGN = frozenset({"facts", "fields", "labels", "subject", "value"})
"""Below these, keys are those of whoever wrote the text, and may be called like one of ours."""
_KINDS = frozenset({"subject"})


def marked(value: Any, key: str = "", *, own: frozenset[str] = _OWN) -> Any:
    """The same JSON; each text that is not xenwatch's own word is `{"untrusted": text}`."""
    match value:
        case str():
            return value if key in own else {MARK: printable(value)}
        case dict():
            below = own if key not in _FOREIGN else frozenset({"kind"} if key in _KINDS else ())
            return {name: marked(inner, name, own=below) for name, inner in value.items()}
        case list() | tuple():
            return [marked(inner, key, own=own) for inner in value]
        case _:
            return value
