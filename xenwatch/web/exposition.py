"""The exposition: what was sampled is rendered and compressed once a cycle, the agent's own numbers at each scrape."""

import asyncio
import struct
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from xenwatch.base.errors import InvalidValue
from xenwatch.model.sample import Snapshot
from xenwatch.web.renderer import Format, Renderer

CONTENT_TYPES: dict[Format, str] = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
BIG = 5_000
"""Samples from which on rendering leaves the event loop: it takes about half a millisecond for a thousand."""

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 1
_GZIP_WBITS = zlib.MAX_WBITS | 16

AGENT = "agent"
"""What stands for the agent's own metrics, incidents among them, where collectors are chosen."""


_RENDER_CYCLES = 60
"""Cycles after which a format that nobody asked for is no longer rendered in advance: five minutes."""


@dataclass(frozen=True, slots=True)
class _Rendering:
    """One rendered cycle in one format; where wanted also deflated up to a byte boundary, open for more to follow."""

    body: bytes
    deflated: bytes | None
    crc: int


class Exposition:
    """Bytes of /metrics. `own` renders the agent's registry in a format, with the closing `# EOF` where one belongs."""

    def __init__(
        self, own: Callable[[Format], bytes], metrics_of: Callable[[], Mapping[str, frozenset[str]]] = dict
    ) -> None:
        """`metrics_of`: the names of the metrics of each collector, by its name."""
        self._own, self._metrics_of = own, metrics_of
        self._renderer = Renderer()
        self._parts: dict[Format, _Rendering] = {}
        self._requested: dict[tuple[Format, bool], int] = {}
        self.samples = 0
        """Samples of the last cycle."""
        self.render_seconds = 0.0
        """How long rendering the last cycle took, and compressing it, in the formats that are asked for."""
        self.at: float | None = None
        """Wall clock of the snapshot that is served."""

    async def update(self, snapshot: Snapshot) -> None:
        """Render a cycle in the formats that are asked for; until it is done the one before is served."""
        started = time.perf_counter()
        self._requested = {wanted: left - 1 for wanted, left in self._requested.items() if left > 0}
        wanted = frozenset(self._requested)
        if len(snapshot.samples) < BIG:
            parts = self._render(snapshot, wanted)
        else:
            parts = await asyncio.get_running_loop().run_in_executor(None, self._render, snapshot, wanted)
        self._parts, self.samples, self.at = parts, len(snapshot.samples), snapshot.at
        self.render_seconds = time.perf_counter() - started

    def body(self, format_: Format, *, gzip: bool) -> bytes:
        """The answer to a scrape; a format that nobody asked for lately is rendered now, then in advance."""
        self._requested[format_, gzip] = _RENDER_CYCLES
        part = self._parts.get(format_)
        if part is None or (gzip and part.deflated is None):
            self._parts[format_] = part = _part(self._renderer.body(format_), gzip=gzip)
        own = self._own(format_)
        return part.body + own if part.deflated is None or not gzip else _gzip(part.deflated, part, own)

    def selected(self, format_: Format, collectors: Collection[str], *, gzip: bool) -> bytes:
        """As `body`, of these collectors alone. InvalidValue names those that do not exist."""
        known = self._metrics_of()
        if unknown := sorted({*collectors} - {*known, AGENT}):
            raise InvalidValue(
                f"no such collector: {', '.join(unknown)}; there are {', '.join(sorted({*known, AGENT}))}"
            )
        only = frozenset[str]().union(*(known[name] for name in collectors if name != AGENT))
        end = b"# EOF\n" if format_ == "openmetrics" else b""
        body = self._renderer.body(format_, only) + (self._own(format_) if AGENT in collectors else end)
        return zlib.compress(body, _LEVEL, wbits=_GZIP_WBITS) if gzip else body

    def _render(self, snapshot: Snapshot, wanted: frozenset[tuple[Format, bool]]) -> dict[Format, _Rendering]:
        self._renderer.take(snapshot.samples)
        return {name: _part(self._renderer.body(name), gzip=(name, True) in wanted) for name, _ in wanted}


def negotiate(accept: str) -> Format:
    """The format for an `Accept` header: OpenMetrics where it is asked for by name and not liked less than text."""
    best: dict[Format, float] = {"openmetrics": 0.0, "text": 0.0}
    for offer in accept.split(","):
        kind, *parameters = (word.strip().lower() for word in offer.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if kind == "application/openmetrics-text" and _version(parameters) in {"", "1.0.0", "0.0.1"}:
            best["openmetrics"] = max(best["openmetrics"], quality)
        elif kind in {"text/plain", "text/*"}:
            best["text"] = max(best["text"], quality)
    return "openmetrics" if best["openmetrics"] > 0 and best["openmetrics"] >= best["text"] else "text"


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header allows gzip."""
    for offer in accept_encoding.split(","):
        coding, *parameters = (word.strip().lower() for word in offer.split(";"))
        if coding in {"gzip", "*"}:
            return all(_quality(p[2:]) > 0 for p in parameters if p.startswith("q="))
    return False


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _version(parameters: list[str]) -> str:
    return next((p.removeprefix("version=").strip('"') for p in parameters if p.startswith("version=")), "")


def _part(body: bytes, *, gzip: bool) -> _Rendering:
    if not gzip:
        return _Rendering(body, None, 0)
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A full flush ends at a byte boundary and refers back to nothing, so another deflate stream may follow it.
    return _Rendering(body, deflate.compress(body) + deflate.flush(zlib.Z_FULL_FLUSH), zlib.crc32(body))


def _gzip(deflated: bytes, part: _Rendering, own: bytes) -> bytes:
    """One gzip member (RFC 1952) of both: the big part is not compressed again."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = deflate.compress(own) + deflate.flush()
    length = (len(part.body) + len(own)) & 0xFFFFFFFF
    return b"".join((_GZIP_HEAD, deflated, tail, struct.pack("<II", zlib.crc32(own, part.crc), length)))
