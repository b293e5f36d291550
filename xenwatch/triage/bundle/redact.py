"""Takes secrets out of text that leaves the host; addresses, where asked, become the same other address each time."""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Iterator

from xenwatch.triage.bundle.secret_forms import FORMS, GONE, HINTS, VALUE

_SAYS_NOTHING = {"", "none", "null", "no", "yes", "true", "false", "0", "1", GONE}

_QUOTE = re.compile(r"[ubUB]{0,2}\\?[\"']")
_KEY_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_MAC = re.compile(r"(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::?(?:[0-9a-f]{1,4}:?){1,7}(?![\w:])", re.IGNORECASE
)
_NOBODY = {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "fe:ff:ff:ff:ff:ff"}
"""Of nobody, of everybody, and of each vif's dom0 end: what they are is diagnosis, not identity."""


class Redaction:
    """`redacted()` takes whole files; `count` says how much was replaced.

    With `addresses` MAC and IP addresses are replaced, each by the same one throughout, so that a duplicate stays one.
    """

    def __init__(self, *, addresses: bool = False, key: bytes | None = None) -> None:
        self.count = 0
        self._addresses = addresses
        self._key = key or secrets.token_bytes(16)

    def redacted(self, data: bytes) -> bytes:
        """The same with secrets replaced; bytes that are no text stay as they are."""
        data = _KEY_BLOCK.sub(self._key_block, data)
        pieces, end = [], 0
        for start, stop in _lines(data) if self._addresses else _hinted(data):
            pieces += [data[end:start], self._line(data[start:stop].decode("latin-1")).encode("latin-1")]
            end = stop
        return b"".join([*pieces, data[end:]])

    def _line(self, line: str) -> str:
        for pattern, what in FORMS:
            line = self._sub(pattern, lambda match, what=what: match.expand(what), line)  # type: ignore[misc]
        line = self._sub(VALUE, _value, line)
        if self._addresses:
            for pattern, made in ((_MAC, self._mac), (_IPV4, self._ip), (_IPV6, self._ip)):
                line = self._sub(pattern, made, line)
        return line

    def _sub(self, pattern: re.Pattern[str], made: Callable[[re.Match[str]], str], text: str) -> str:
        def counted(match: re.Match[str]) -> str:
            new = made(match)
            self.count += new != match[0]
            return new

        return pattern.sub(counted, text)

    def _key_block(self, match: re.Match[bytes]) -> bytes:
        self.count += 1
        return b"-----BEGIN %s-----%s-----END %s-----" % (match[1], GONE.encode(), match[1])

    def _mac(self, match: re.Match[str]) -> str:
        if match[0].lower() in _NOBODY:
            return match[0]
        made = self._digest(match[0].lower())
        return "02:" + ":".join(f"{byte:02x}" for byte in made[:5])

    def _ip(self, match: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            return match[0]
        if address.is_loopback or address.is_unspecified or address.is_multicast or match[0].startswith("255."):
            return match[0]
        made = self._digest(address.compressed)
        if isinstance(address, ipaddress.IPv4Address):
            return f"10.{made[0]}.{made[1]}.{made[2]}"
        return "fd00::" + ":".join(f"{made[i]:x}{made[i + 1]:02x}" for i in (0, 2, 4))

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()


def _value(match: re.Match[str]) -> str:
    """The quotes stay; so does what is no secret: a value that is only yes or no."""
    name, value = match.groups()
    plain = value.strip("u\\\"'")
    if plain.lower() in _SAYS_NOTHING or value.lower() in _SAYS_NOTHING:
        return match[0]
    quote = _QUOTE.match(value)
    before = quote[0] if quote else ""
    return f"{name}{before}{GONE}{before.lstrip('ubUB')}"


def _lines(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        stop = data.find(b"\n", start) + 1 or len(data)
        yield start, stop
        start = stop


def _hinted(data: bytes) -> list[tuple[int, int]]:
    """Where the lines with a hint start and end: searching for plain words costs a hundredth of the patterns."""
    lower, places = data.lower(), set()
    for hint in HINTS:
        at = lower.find(hint)
        while at >= 0:
            start, stop = lower.rfind(b"\n", 0, at) + 1, lower.find(b"\n", at) + 1 or len(lower)
            places.add((start, stop))
            at = lower.find(hint, stop)
    return sorted(places)
