"""A small client of etcd's JSON gateway (3.4 on): put, list, delete, transaction and lease, each with a deadline."""

import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import aiohttp

from xenwatch.base.errors import XenwatchError

CALL_SECONDS = 3.0
"""Longest wait for one member; then the next one is asked."""
_UNAVAILABLE = (4, 13, 14)
"""gRPC: deadline exceeded, internal, unavailable: another member may answer, or the same one later."""
_FULL = 8
"""gRPC: resource exhausted."""
_NOT_AUTHENTICATED = 16
_BAD_REQUEST = 400
_PLAIN = "text/plain"
_LONGEST_WORDS = 200
_MOST_OPERATIONS, _LARGEST = 100, 600_000
"""etcd takes 128 operations and 1.5 MB in one transaction."""

_Item = TypeVar("_Item")


class EtcdError(XenwatchError):
    """etcd did not do what was asked."""


class EtcdUnavailable(EtcdError):
    """No member answered in time: whether a write took place is not known."""


class EtcdRefused(EtcdError):
    """A member said no: no permission, no such lease."""


class EtcdFull(EtcdRefused):
    """Its file is as large as it may be: leases and deletions go on, nothing is written until somebody made room."""


class LeaderLost(EtcdError):
    """The key that a transaction stands on is gone or another's: nothing was written."""


@dataclass(frozen=True, slots=True)
class EtcdAccess:
    """Where etcd is and how to prove who we are."""

    endpoints: tuple[str, ...]
    """`https://10.0.0.1:2379`, one for each member."""
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None


class KeyValue(NamedTuple):
    """One key as etcd has it; `created` and `modified` are revisions, in which all of etcd is in order."""

    key: str
    value: str
    created: int
    modified: int


class Listing(NamedTuple):
    """The keys below a prefix, all of them as they were at `revision`."""

    keys: tuple[KeyValue, ...]
    revision: int


Operation = Mapping[str, Any]


class EtcdClient:
    """Asks one member after the other, the one that answered last first. Close it with `close()`."""

    def __init__(self, access: EtcdAccess, *, call_seconds: float = CALL_SECONDS) -> None:
        """Inside of the event loop that uses it."""
        self._access, self._endpoints = access, list(access.endpoints)
        self._timeout = aiohttp.ClientTimeout(total=call_seconds)
        connector = aiohttp.TCPConnector(ssl=access.tls if access.tls is not None else True)
        self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        self._token = ""

    async def close(self) -> None:
        await self._session.close()

    async def put(self, key: str, value: str, lease: int = 0) -> None:
        """Write one key."""
        await self.call("kv/put", put_of(key, value, lease))

    async def delete(self, key: str) -> None:
        """Remove one key; it may be gone already."""
        await self.call("kv/deleterange", {"key": text64(key)})

    async def list_below(self, prefix: str) -> Listing:
        """All keys that begin with the prefix."""
        answer = await self.call("kv/range", below(prefix))
        return Listing(tuple(key_value(kv) for kv in answer.get("kvs", ())), int(answer["header"]["revision"]))

    async def transact(self, compare: Sequence[Operation], then: Sequence[Operation]) -> bool:
        """All of `then`, provided that all of `compare` holds; False: nothing was done."""
        return await self.revision_of(compare, then) is not None

    async def revision_of(self, compare: Sequence[Operation], then: Sequence[Operation]) -> int | None:
        """The same; where it was done, the revision at which it stands: keys that it made were created there."""
        answer = await self.call("kv/txn", {"compare": list(compare), "success": list(then)})
        return int(answer["header"]["revision"]) if answer.get("succeeded") else None

    async def grant_lease(self, seconds: int) -> int:
        """A lease that ends so long after it was last kept alive."""
        return int((await self.call("lease/grant", {"TTL": str(seconds)}))["ID"])

    async def keep_alive(self, lease: int) -> bool:
        """False where the lease is over, or where an etcd that came back empty never had it."""
        answer = await self.call("lease/keepalive", {"ID": str(lease)})
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    async def revoke(self, lease: int) -> None:
        """End a lease and all keys that stand on it."""
        await self.call("lease/revoke", {"ID": str(lease)})

    async def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One request. Raises EtcdUnavailable after every member was asked, EtcdRefused as soon as one says no."""
        last = "no endpoint is configured"
        for endpoint in tuple(self._endpoints):
            try:
                answer = await self._ask(endpoint, path, body)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                last = f"{endpoint}: {type(error).__name__} {error}".rstrip()
                self._ask_last(endpoint)
                continue
            return answer
        raise EtcdUnavailable(f"no member of etcd answers to {path}: {last}")

    async def _ask(self, endpoint: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        for is_second in (False, True):
            headers = await self.headers(endpoint)
            url = f"{endpoint}/v3/{path}"
            async with self._session.post(url, json=body, headers=headers, timeout=self._timeout) as response:
                answer = await _answer(response)
            code = _code(answer)
            if code == _NOT_AUTHENTICATED and not is_second:
                self._token = ""
            elif code in _UNAVAILABLE:
                raise aiohttp.ClientError(str(answer.get("message") or answer.get("error")))
            elif code:
                kind = EtcdFull if code == _FULL else EtcdRefused
                raise kind(f"etcd refuses {path}: {answer.get('message') or answer.get('error')}")
            else:
                return answer
        raise EtcdRefused(f"etcd refuses {path}: not authenticated")

    async def headers(self, endpoint: str) -> dict[str, str]:
        """What proves who we are; nothing where no user is configured."""
        if not self._access.user:
            return {}
        if not self._token:
            body = {"name": self._access.user, "password": self._access.password}
            url = f"{endpoint}/v3/auth/authenticate"
            async with self._session.post(url, json=body, timeout=self._timeout) as response:
                answer = await _answer(response)
            if "token" not in answer:
                raise EtcdRefused(f"etcd refuses the user {self._access.user}: {answer.get('message')}")
            self._token = answer["token"]
        return {"Authorization": self._token}

    def _ask_last(self, endpoint: str) -> None:
        self._endpoints.remove(endpoint)
        self._endpoints.append(endpoint)

    async def stream(self, path: str, body: Mapping[str, Any], quiet_seconds: float) -> AsyncIterator[dict[str, Any]]:
        """Answer after answer of the member that answered last; it ends where that says nothing for so long.

        Raises EtcdUnavailable where the connection breaks, EtcdRefused where the member says no.
        """
        endpoint = self._endpoints[0]
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout.total, sock_read=quiet_seconds)
        try:
            headers = await self.headers(endpoint)
            request = self._session.post(f"{endpoint}/v3/{path}", json=body, headers=headers, timeout=timeout)
            async with request as response:
                if response.content_type == _PLAIN:
                    await _answer(response)
                async for line in _lines(response.content):
                    answer = json.loads(line)
                    if code := _code(answer):
                        raise EtcdRefused(f"etcd refuses {path}: code {code}")
                    yield answer
        except aiohttp.SocketTimeoutError:
            return
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._ask_last(endpoint)
            raise EtcdUnavailable(f"{endpoint}: {path} broke off: {type(error).__name__} {error}") from None


async def _answer(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """What a member says. Raises EtcdRefused with its words where these are no JSON: it does not take our certificate.

    A gateway or a proxy that is in trouble says other things than JSON, too: ValueError, and another member is asked.
    """
    text = await response.text()
    if response.content_type == _PLAIN and response.status == _BAD_REQUEST:
        raise EtcdRefused(f"etcd refuses {response.url.path}: {text.strip()[:_LONGEST_WORDS]}")
    answer: dict[str, Any] = json.loads(text)
    return answer


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """A line may be longer than what aiohttp's own reading by lines takes."""
    held = b""
    async for part in content.iter_any():
        *whole, held = (held + part).split(b"\n")
        for line in whole:
            yield line


def _code(answer: Mapping[str, Any]) -> int:
    """The gRPC code of an error; of a stream it stands one level lower."""
    error = answer.get("error")
    if isinstance(error, dict):
        return int(error.get("grpc_code") or error.get("code") or 2)
    return int(answer.get("code") or 2) if error else 0


def put_of(key: str, value: str, lease: int = 0) -> dict[str, Any]:
    """The body of a put."""
    return {"key": text64(key), "value": text64(value), "lease": str(lease)}


def put_operation(key: str, value: str, lease: int = 0) -> Operation:
    """A put inside of a transaction."""
    return {"requestPut": put_of(key, value, lease)}


def in_transactions(texts: Iterable[tuple[_Item, str]]) -> Iterator[list[tuple[_Item, str]]]:
    """What is to be written, with its text: as much at once as etcd takes, in the same order."""
    part, size = list[tuple[_Item, str]](), 0
    for one in texts:
        if part and (len(part) == _MOST_OPERATIONS or size + len(one[1]) > _LARGEST):
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one[1])
    if part:
        yield part


def delete_operation(key: str) -> Operation:
    """A delete inside of a transaction."""
    return {"requestDeleteRange": {"key": text64(key)}}


def read_operation(key: str) -> Operation:
    """A read inside of a transaction. One without any is answered by a single member, also by one that is cut off."""
    return {"requestRange": {"key": text64(key)}}


def created_at(key: str, revision: int) -> Operation:
    """Holds while the key is the one that was created at that revision; 0: while there is none."""
    return {"key": text64(key), "target": "CREATE", "result": "EQUAL", "createRevision": str(revision)}


def exists(key: str) -> Operation:
    """Holds while there is such a key."""
    return {"key": text64(key), "target": "CREATE", "result": "GREATER", "createRevision": "0"}


def below(prefix: str) -> dict[str, Any]:
    """The range of all keys that begin with the prefix."""
    start = prefix.encode()
    end = start[:-1] + bytes([start[-1] + 1])
    return {"key": b64encode(start).decode(), "range_end": b64encode(end).decode()}


def text64(text: str) -> str:
    """Keys and values are bytes, which the gateway takes in base64."""
    return b64encode(text.encode()).decode()


def key_value(body: Mapping[str, Any]) -> KeyValue:
    """One key of an answer."""
    value = b64decode(body.get("value", "")).decode("utf-8", "replace")
    key = b64decode(body["key"]).decode("utf-8", "replace")
    return KeyValue(key, value, int(body.get("create_revision", 0)), int(body.get("mod_revision", 0)))
