"""Where a pool is, who asks, and by what its hosts are recognised. Nothing here shows the password when printed."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from xenwatch.base.errors import InvalidValue

CALL_SECONDS = 20.0
"""Longest wait for one answer of xapi."""
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class XapiAccess:
    """One pool."""

    name: str
    """What people call it: the name of its section in the configuration."""
    addresses: tuple[str, ...]
    """`https://xcp1.example`: any hosts of the pool; who is master is found out."""
    user: str
    password: Callable[[], str] = field(repr=False)
    """Asked at each login, so that a changed password needs no restart. Raises XenwatchError where there is none."""
    tls: "ssl.SSLContext | aiohttp.Fingerprint | bool" = True
    """An authority's certificates, pinned certificates, or (True) the authorities that this machine trusts."""
    call_seconds: float = CALL_SECONDS


class PinnedCertificates(aiohttp.Fingerprint):
    """Certificates of hosts, one for each, by their SHA-256: most pools use those that they made themselves."""

    def __init__(self, digests: Iterable[bytes]) -> None:
        self.digests = frozenset(digests)
        super().__init__(next(iter(self.digests)))

    def check(self, transport: asyncio.Transport) -> None:
        """Raises ServerFingerprintMismatch before anything is sent."""
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is None:
            return
        got = hashlib.sha256(ssl_object.getpeercert(binary_form=True)).digest()
        if got not in self.digests:
            host, port, *_ = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(self.fingerprint, got, host, port)


def fingerprint_of(text: str) -> bytes:
    """`AB:CD:…` or `abcd…`, as openssl and xe print it. InvalidValue where it is no SHA-256."""
    try:
        digest = bytes.fromhex(text.replace(":", "").strip())
    except ValueError:
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        raise InvalidValue(
            f"{text!r} must be a SHA-256 fingerprint of 64 hexadecimal digits: "
            "openssl x509 -noout -fingerprint -sha256 -in /etc/xensource/xapi-ssl.pem"
        )
    return digest


def at_host(address: str, host: str) -> str:
    """The address of another host of the pool, with scheme and port as the configured one has them."""
    parts = urlsplit(address)
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, f"{name}{port}", "", "", ""))
