"""Where in a chunk something may match: what the engines find, without what is not looked for in that format."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xenwatch.diagnosis.matching.error_places import places_of_errors
from xenwatch.diagnosis.matching.errors import ERROR
from xenwatch.diagnosis.matching.prefilter import Candidate, Prefilter, PrefilterName
from xenwatch.diagnosis.matching.prefilter_factory import make_prefilter, takes_long
from xenwatch.diagnosis.matching.signature_index import SignatureIndex
from xenwatch.model.record import LogFormat

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


class Candidates:
    """One engine for everything in the index, and one for the words of errors, which are everywhere."""

    def __init__(
        self, index: SignatureIndex, engine: PrefilterName, cache: Path | None, compiling: "Executor | None"
    ) -> None:
        """`compiling`: threads that compile what would take seconds; the literal prefilter reads meanwhile."""
        self._index, self._errors = index, make_prefilter([ERROR], engine, cache)
        self._background: Future[Prefilter] | None = None
        if compiling is not None and engine == "auto" and takes_long(index.sought, cache):
            self._background = compiling.submit(make_prefilter, index.sought, engine, cache)
            self._prefilter = make_prefilter(index.sought, "ahocorasick", cache)
        else:
            self._prefilter = make_prefilter(index.sought, engine, cache)

    @property
    def engine_name(self) -> str:
        """Which engine reads the chunks just now: hyperscan, ahocorasick or re."""
        return self._prefilter.name

    @property
    def stopped(self) -> int:
        """How often an engine gave up in a text that was made to hold it up."""
        return self._prefilter.stopped + self._errors.stopped

    def find(self, data: bytes, format_: LogFormat) -> list[Candidate]:
        """(offset just behind or inside the match, index) of what might match in text of that format."""
        self._take_compiled()
        allowed = self._index.allowed(format_)
        found = [pair for pair in self._prefilter.candidates(data) if allowed[pair[1]]]
        error, places = self._index.error, places_of_errors(self._errors.candidates(data), found, data, format_)
        if places:
            found += [(at, error) for at in places]
            found.sort()
        always = [index for index in self._prefilter.everywhere if allowed[index]]
        if self._errors.everywhere:
            always.append(self._index.error)
        return _with(found, always, data) if always else found

    def _take_compiled(self) -> None:
        """Go over to the compiled signatures once they are there; where compiling failed, this goes on as it is."""
        if self._background is not None and self._background.done():
            if self._background.exception() is None:
                self._prefilter = self._background.result()
            self._background = None


def _with(found: Sequence[Candidate], always: Sequence[int], data: bytes) -> list[Candidate]:
    """Those and, in each line, what no engine looks for."""
    starts = [0, *(m.end() for m in re.finditer(b"\n", data[:-1]))]
    return sorted([*found, *((start + 1, index) for start in starts for index in always)])
