"""The exposition: what was sampled is rendered and compressed once a cycle, the agent's own numbers at each scrape."""

import asyncio
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from xenwatch.model.sample import Snapshot
from xenwatch.web.exposition import Format, Renderer

CONTENT_TYPES: dict[Format, str] = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
FORMATS: tuple[Format, ...] = ("text", "openmetrics")
BIG = 5_000
"""Samples from which on rendering leaves the event loop: it takes about half a millisecond for a thousand."""

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class _Part:
    """One rendered cycle in one format, and the same deflated up to a byte boundary, open for more to follow."""

    body: bytes
    deflated: bytes
    crc: int


class Exposition:
    """Bytes of /metrics. `own` renders the agent's registry in a format, with the closing `# EOF` where one belongs."""

    def __init__(self, own: Callable[[Format], bytes]) -> None:
        self._own = own
        self._renderers = {name: Renderer(name) for name in FORMATS}
        self._parts = {name: _part(b"") for name in FORMATS}
        self.samples = 0
        """Samples of the last cycle."""
        self.render_seconds = 0.0
        """How long rendering and compressing the last cycle took, in all formats."""
        self.at: float | None = None
        """Wall clock of the snapshot that is served."""

    async def update(self, snapshot: Snapshot) -> None:
        """Render a cycle in every format; until it is done the one before is served."""
        started = time.perf_counter()
        if len(snapshot.samples) < BIG:
            parts = self._render(snapshot)
        else:
            parts = await asyncio.get_running_loop().run_in_executor(None, self._render, snapshot)
        self._parts, self.samples, self.at = parts, len(snapshot.samples), snapshot.at
        self.render_seconds = time.perf_counter() - started

    def body(self, format_: Format, *, gzip: bool) -> bytes:
        """What a scrape is answered with."""
        part, own = self._parts[format_], self._own(format_)
        return _gzip(part, own) if gzip else part.body + own

    def _render(self, snapshot: Snapshot) -> dict[Format, _Part]:
        return {name: _part(renderer.render(snapshot.samples)) for name, renderer in self._renderers.items()}


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


def _part(body: bytes) -> _Part:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    # A full flush ends at a byte boundary and refers back to nothing, so another deflate stream may follow it.
    return _Part(body, deflate.compress(body) + deflate.flush(zlib.Z_FULL_FLUSH), zlib.crc32(body))


def _gzip(part: _Part, own: bytes) -> bytes:
    """One gzip member (RFC 1952) of both: the big part is not compressed again."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = deflate.compress(own) + deflate.flush()
    length = (len(part.body) + len(own)) & 0xFFFFFFFF
    return b"".join((_GZIP_HEAD, part.deflated, tail, struct.pack("<II", zlib.crc32(own, part.crc), length)))
