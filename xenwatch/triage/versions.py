"""Which versions of Xen a bundle says it is of: from `xl info`, and from the first line of the hypervisor's own log."""

from collections.abc import Iterable

from xenwatch.base import lazy_re as re
from xenwatch.model.fact import Fact

_SAID = b"Xen version "
_VERSION = re.compile(rb"Xen version (\d+\.\d+[\w.+~-]{0,40})")
MOST_VERSIONS = 16


class XenVersions:
    """Learns from facts and from the text of logs; `names` are what it has seen, in order."""

    def __init__(self) -> None:
        self._seen: dict[str, None] = {}

    def learn(self, facts: Iterable[Fact]) -> None:
        """What the host, or its saved `xl info`, says."""
        for fact in facts:
            if fact.name == "xen.version" and isinstance(fact.value, str):
                self._note(fact.value)

    def read(self, text: bytes) -> None:
        """A part of any log: `Xen version 4.17.3 (Debian 4.17.3-1) …` is how the hypervisor begins."""
        if _SAID in text:
            for found in _VERSION.finditer(text):
                self._note(found[1].decode("ascii", "replace").rstrip("."))

    @property
    def names(self) -> tuple[str, ...]:
        """The versions, in their text's order."""
        return tuple(sorted(self._seen))

    def _note(self, version: str) -> None:
        if len(self._seen) < MOST_VERSIONS:
            self._seen[version] = None
