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
    """PEM files. With `client_ca` a client must show a certificate of that authority, or it is refused.

    `optional`: it may show none, but no wrong one. `only_newest`: TLS 1.3 alone.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    optional: bool = False
    only_newest: bool = False

    def stamp(self) -> _Stamp:
        """What changes when one of the files does; None for one that cannot be read."""
        return tuple(_stamp(path) for path in (self.certificate, self.key, self.client_ca) if path is not None)


class ReloadingContext(ssl.SSLContext):
    """Hands each new connection to a context reloading of the files as they are now.

    Files that do not fit together (a certificate that was renewed before its key) leave the last good ones in force.
    """

    _files: TlsFiles
    _stamp_in_force: _Stamp
    _current: ssl.SSLContext

    @classmethod
    def of(cls, files: TlsFiles) -> "ReloadingContext":
        """Unavailable where the files cannot be used."""
        reloading = cls(ssl.PROTOCOL_TLS_SERVER)
        reloading._files, reloading._stamp_in_force = files, files.stamp()
        reloading._current = _context(files)
        return reloading

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """What asyncio asks of a listener's context for each connection."""
        stamp = self._files.stamp()
        if stamp != self._stamp_in_force:
            self._stamp_in_force = stamp
            self._reload()
        return self._current.wrap_bio(*args, **kwargs)

    def _reload(self) -> None:
        try:
            self._current = _context(self._files)
        except Unavailable as error:
            log.error("%s; the certificate read before stays in force", error)  # noqa: TRY400 - words for the administrator
        else:
            log.info("the certificate %s and its key were read again", self._files.certificate)


def certificate_names(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The common name and the alternative names of a verified certificate; none where there is no certificate."""
    return frozenset(_names(certificate or {}))


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        yield from (value for key, value in part if key == "commonName")
    yield from (value for kind, value in certificate.get("subjectAltName", ()) if kind in _NAMES)


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if files.only_newest else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    current: Path | None = files.certificate
    try:
        # Without a password function OpenSSL would ask for one on the terminal and wait.
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
        current = files.client_ca
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL if files.optional else ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        beside = f" with the key {files.key}" if current == files.certificate else ""
        raise Unavailable(f"cannot use the certificate {current}{beside}: {reason}") from error
    return context


def _no_password() -> str:
    raise ValueError(
        "the key is encrypted; xenwatch starts without a person and cannot ask for a password; use a key without one"
    )


def _stamp(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size
    return None
