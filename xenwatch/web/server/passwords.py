"""Users with a password (HTTP Basic): who asks, judged by the bcrypt hashes of a file that may change."""

import asyncio
import hashlib
import logging
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path

from xenwatch.base.errors import XenwatchError

log = logging.getLogger(__name__)

CHALLENGE = {"WWW-Authenticate": 'Basic realm="xenwatch"'}
_NOBODY = b"$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
"""A hash of nothing: a name that does not exist takes as long as a wrong password (exporter-toolkit has the same)."""
_MOST_KNOWN = 100


class Passwords:
    """Hashes are compared in a thread and one at a time: each takes as long as ten scrapes."""

    def __init__(self, path: Path, read: Callable[[], Mapping[str, bytes]]) -> None:
        self._path, self._read = path, read
        self._hashes, self._stamp = read(), _stamp(path)
        self._known: dict[bytes, bool] = {}
        self._one = asyncio.Lock()

    async def admit(self, authorization: str) -> bool:
        """Whether an `Authorization` header is of a user with the right password."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            name, colon, password = b64decode(given.strip(), validate=True).partition(b":")
            wanted = self._current().get(name.decode())
        except ValueError:
            return False
        return bool(colon) and await self._is_right(password, wanted)

    async def _is_right(self, password: bytes, wanted: bytes | None) -> bool:
        key = hashlib.sha256(b"\0".join((wanted or _NOBODY, password))).digest()
        async with self._one:
            if key not in self._known:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = await asyncio.to_thread(_matches, password, wanted or _NOBODY)
        return wanted is not None and self._known[key]

    def _current(self) -> Mapping[str, bytes]:
        """Those of the file as it is now. A file with a mistake leaves the last good ones in force."""
        if (stamp := _stamp(self._path)) != self._stamp:
            self._stamp = stamp
            try:
                self._hashes = self._read()
            except XenwatchError as error:
                log.error("%s; the users read before stay in force", error)  # noqa: TRY400 - words for the administrator
        return self._hashes


def _matches(password: bytes, wanted: bytes) -> bool:
    import bcrypt  # noqa: PLC0415  an optional extra

    try:
        return bool(bcrypt.checkpw(password[:72], wanted))  # what is behind 72 bytes never counted
    except ValueError:  # no such hash, or a NUL in the password
        return False


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
