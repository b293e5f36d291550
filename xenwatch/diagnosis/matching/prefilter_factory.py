"""Which engine looks for the signatures: the one asked for, or the fastest that is installed here."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from xenwatch.diagnosis.matching.literal_prefilters import AhoCorasickPrefilter, FindPrefilter
from xenwatch.diagnosis.matching.prefilter import Prefilter, PrefilterName

log = logging.getLogger(__name__)


def make_prefilter(regexes: Sequence[str], name: PrefilterName = "auto", cache: Path | None = None) -> Prefilter:
    """The engine asked for, or the first that works here; `cache` is a folder for compiled databases."""
    if name == "auto":
        for maker in (_hyperscan, _aho_corasick):
            try:
                return maker(regexes, cache)
            except (ImportError, RuntimeError, ValueError) as error:
                log.warning("%s cannot be used: %s", maker.__name__.strip("_"), error)
        return FindPrefilter(regexes)
    return _MAKERS[name](regexes, cache)


def takes_long(regexes: Sequence[str], cache: Path | None) -> bool:
    """Whether `make_engine` would compile for a second or more, because no database of these is kept."""
    try:
        from xenwatch.diagnosis.matching.hyperscan import kept_file  # noqa: PLC0415  a wheel that some platforms lack
    except ImportError:
        return False
    return cache is None or not kept_file(regexes, cache).exists()


def hyperscan_takes(form: str) -> bool:
    """Whether Hyperscan compiles this raw form; true where Hyperscan is not installed and cannot answer."""
    try:
        from xenwatch.diagnosis.matching.hyperscan import compiles  # noqa: PLC0415  a wheel that some platforms lack
    except ImportError:
        return True
    return compiles(form)


def _hyperscan(regexes: Sequence[str], cache: Path | None) -> Prefilter:
    from xenwatch.diagnosis.matching.hyperscan import HyperscanPrefilter  # noqa: PLC0415  a wheel that some platforms lack

    return HyperscanPrefilter(regexes, cache)


def _aho_corasick(regexes: Sequence[str], cache: Path | None) -> Prefilter:
    return AhoCorasickPrefilter(regexes, cache)


def _find(regexes: Sequence[str], _cache: Path | None) -> Prefilter:
    return FindPrefilter(regexes)


_MAKERS: dict[str, Callable[[Sequence[str], Path | None], Prefilter]] = {
    "hyperscan": _hyperscan,
    "ahocorasick": _aho_corasick,
    "re": _find,
}
