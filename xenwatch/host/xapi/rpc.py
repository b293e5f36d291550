"""Calls to one host of a pool: JSON-RPC 2.0 and plain downloads, one at a time for each host, each with a deadline."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from xenwatch.base.errors import HostError, TimedOut, Unavailable
from xenwatch.host.xapi.access import XapiAccess

LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes; all objects of a pool of a thousand guests are about ten MiB."""
_PIECE = 1024 * 1024
_OK, _NOT_LOGGED_IN = 200, (401, 403)
_PLAIN = re.compile(r"http://(?!127\.\d+\.\d+\.\d+(?::\d+)?$)")
"""No TLS, and not on this machine; the other hosts of a pool at the end of a tunnel are such."""
SESSION_INVALID = "SESSION_INVALID"


class XapiError(HostError):
    """xapi's own answer that it will not do it: a code of its list of errors, and what it is about."""

    def __init__(self, address: str, method: str, code: str, params: Sequence[str] = ()) -> None:
        self.code, self.params = code, tuple(params)
        # A session's reference is as good as a password while it lasts.
        shown = "" if code == SESSION_INVALID else "".join(f" {param}" for param in self.params)
        super().__init__(f"xapi at {address} refuses {method}: {code}{shown}")


class XapiRpc:
    """Inside of the event loop that uses it. Close it with `close()`. It keeps no session and retries nothing."""

    def __init__(self, access: XapiAccess) -> None:
        self._access = access
        # A cookie of one host must not go to another, and no proxy of the environment may see a password.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=access.tls, limit_per_host=1),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        self._locks: dict[str, asyncio.Lock] = {}
        self._last_id = 0

    async def close(self) -> None:
        await self._http.close()

    async def call(self, address: str, method: str, params: Sequence[object], seconds: float | None = None) -> Any:
        """The result. Raises XapiError where xapi says no, Unavailable or TimedOut where it does not answer."""
        self._last_id += 1
        body = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": self._last_id}
        async with (
            self._one_at_a_time(address, method, seconds),
            self._http.post(f"{address}/jsonrpc", json=body, allow_redirects=False) as response,
        ):
            answer = await _whole(response, address, method)
        try:
            return _result(await _decoded(answer), address, method)
        except (ValueError, TypeError, KeyError):
            raise Unavailable(f"xapi at {address} did not answer {method} in JSON-RPC") from None

    async def download(self, address: str, path: str, session: str, seconds: float | None = None) -> bytes:
        """Of an HTTP handler such as /rrd_updates. The session goes as a cookie: addresses end up in access logs."""
        headers = {"Cookie": f"session_id={session}"}
        handler = path.partition("?")[0]
        async with (
            self._one_at_a_time(address, handler, seconds),
            self._http.get(f"{address}{path}", headers=headers, allow_redirects=False) as response,
        ):
            if response.status in _NOT_LOGGED_IN:
                raise XapiError(address, handler, SESSION_INVALID)
            return await _whole(response, address, handler)

    @asynccontextmanager
    async def _one_at_a_time(self, address: str, what: str, seconds: float | None) -> AsyncIterator[None]:
        """The deadline counts the waiting for the request before, too: a host that hangs holds up only itself."""
        if _PLAIN.match(address):
            raise Unavailable(f"{address} is not asked: without TLS a password would go over the network in the clear")
        seconds = self._access.call_seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds), self._locks.setdefault(address, asyncio.Lock()):
                yield
        except TimeoutError:
            raise TimedOut(f"xapi at {address} did not answer {what} within {seconds:g} s") from None
        except aiohttp.ServerFingerprintMismatch as error:
            raise Unavailable(
                f"{address} shows a certificate that is not pinned, with the SHA-256 fingerprint {error.got.hex()}"
            ) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise Unavailable(
                f"the certificate of {address} is not trusted ({error.certificate_error}): "
                "set tls_ca, or pin it with fingerprints"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"xapi at {address} cannot be asked {what}: {type(error).__name__} {error}") from None


async def _whole(response: aiohttp.ClientResponse, address: str, what: str) -> bytes:
    if response.status != _OK:
        raise Unavailable(f"xapi at {address} answered {what} with HTTP {response.status}")
    body = bytearray()
    async for piece in response.content.iter_chunked(_PIECE):
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise Unavailable(f"the answer of xapi at {address} to {what} is larger than {LARGEST_ANSWER} bytes")
    return bytes(body)


async def _decoded(answer: bytes) -> Any:
    """All objects of a large pool take a tenth of a second, for which the loop must not wait."""
    return json.loads(answer) if len(answer) < _PIECE else await asyncio.to_thread(json.loads, answer)


def _result(answer: dict[str, Any], address: str, method: str) -> Any:
    """Of 2.0, and of 1.0 with which the oldest answer: there the error is the list itself."""
    error = answer.get("error")
    if isinstance(error, list):
        raise XapiError(address, method, str(error[0]), [str(param) for param in error[1:]])
    if error is not None:
        params = error.get("data")
        raise XapiError(address, method, str(error["message"]), [str(p) for p in params or ()])
    return answer["result"]
