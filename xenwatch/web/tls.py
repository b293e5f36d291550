"""TLS of a listener: files that are read again when they change, and the names a client's certificate proves."""

import contextlib
import logging
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.errors import Unavailable

log = logging.getLogger(__name__)

_NAMES = ("DNS", "email", "URI", "IP Address")
_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. With `client_ca` a client must bring a certificate of that authority, or is not listened to."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def stamp(self) -> _Stamp:
        """What changes when one of the files does; None for one that cannot be looked at."""
        return tuple(_stamp(path) for path in (self.certificate, self.key, self.client_ca) if path is not None)


class Rereading(ssl.SSLContext):
    """Hands each new connection to a context made of the files as they are now.

    Files that do not fit together (a certificate that was renewed before its key) leave the last good ones in force.
    """

    _files: TlsFiles
    _seen: _Stamp
    _now: ssl.SSLContext

    @classmethod
    def of(cls, files: TlsFiles) -> "Rereading":
        """Unavailable where the files cannot be used."""
        made = cls(ssl.PROTOCOL_TLS_SERVER)
        made._files, made._seen = files, files.stamp()
        made._now = _context(files)
        return made

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """What asyncio asks of a listener's context for each connection."""
        seen = self._files.stamp()
        if seen != self._seen:
            self._seen = seen
            self._reread()
        return self._now.wrap_bio(*args, **kwargs)

    def _reread(self) -> None:
        try:
            self._now = _context(self._files)
        except Unavailable as error:
            log.error("%s; what was read before stays in force", error)  # noqa: TRY400 - words for the administrator
        else:
            log.info("%s and what belongs to it were read again", self._files.certificate)


def certificate_names(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The common name and the alternative names of a verified certificate; none where there is no certificate."""
    return frozenset(_names(certificate or {}))


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        yield from (value for key, value in part if key == "commonName")
    yield from (value for kind, value in certificate.get("subjectAltName", ()) if kind in _NAMES)


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    reading: Path | None = files.certificate
    try:
        # Without a password function OpenSSL would ask for one on the terminal and wait.
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
        reading = files.client_ca
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        beside = f" with the key {files.key}" if reading == files.certificate else ""
        raise Unavailable(f"cannot use the certificate {reading}{beside}: {said}") from error
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted; xenwatch starts alone and cannot be asked for a password")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_ino, found.st_size
    return None
