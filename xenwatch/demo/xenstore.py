"""xenstored of the simulated host: nodes from what the host has, served by xenstore's own protocol for reads."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

from xenwatch.demo.guests import GROUP, MIB
from xenwatch.demo.world import Domain, SimulatedHost

_HEADER = struct.Struct("<IIII")  # type, request id, transaction, length: xen/include/public/io/xs_wire.h
_DIRECTORY, _READ, _ERROR = 1, 2, 16
_CONNECTED = "4"


def nodes(host: SimulatedHost) -> dict[str, str]:
    """Every node by its path."""
    found = {"/local/domain/0/name": "Domain-0", "/local/domain/0/domid": "0"}
    for domain in host.domains:
        found |= dict(_of_domain(domain))
        found |= dict(_disks(domain, host))
        found |= dict(_vifs(domain))
    return found


def listing(host: SimulatedHost, below: str) -> str:
    """As `xenstore-ls -f` prints it."""
    return "".join(f'{path} = "{value}"\n' for path, value in sorted(nodes(host).items()) if path.startswith(below))


def _of_domain(domain: Domain) -> Iterator[tuple[str, str]]:
    home = f"/local/domain/{domain.domid}"
    yield f"{home}/name", domain.name
    yield f"{home}/vm", f"/vm/{domain.guest.uuid}"
    yield f"{home}/domid", str(domain.domid)
    yield f"{home}/memory/target", str(domain.mib * 1024)
    yield f"{home}/memory/static-max", str(domain.guest.mib * 1024)
    yield f"/vm/{domain.guest.uuid}/uuid", domain.guest.uuid
    yield f"/libxl/{domain.domid}/type", "pvh"
    back = f"/local/domain/0/backend/console/{domain.domid}/0"
    yield from {f"{back}/frontend": f"{home}/console", f"{back}/state": _CONNECTED, f"{back}/online": "1"}.items()


def _disks(domain: Domain, host: SimulatedHost) -> Iterator[tuple[str, str]]:
    names = sorted(host.volumes)
    for nth, (number, volume) in enumerate(zip(domain.disk_numbers, domain.volumes, strict=True)):
        values = {
            "params": f"/dev/{GROUP}/{volume}", "dev": f"xvd{'abcd'[nth]}", "type": "phy", "mode": "w",
            "device-type": "disk", "script": "/etc/xen/scripts/block", "hotplug-status": "connected",
            "physical-device": f"fd:{names.index(volume):x}", "sectors": str(host.volumes[volume] * MIB // 512),
        }  # fmt: skip
        yield from _device(domain, "vbd", number, values)


def _vifs(domain: Domain) -> Iterator[tuple[str, str]]:
    for nth, bridge in enumerate(domain.bridges):
        values = {
            "mac": domain.guest.mac(nth), "bridge": bridge, "script": "/etc/xen/scripts/vif-bridge", "type": "vif",
            "handle": str(nth), "hotplug-status": "connected", "ip": domain.guest.address,
        }  # fmt: skip
        yield from _device(domain, "vif", nth, values)


def _device(domain: Domain, kind: str, number: int, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    back = f"/local/domain/0/backend/{kind}/{domain.domid}/{number}"
    front = f"/local/domain/{domain.domid}/device/{kind}/{number}"
    ends = {"frontend": front, "frontend-id": str(domain.domid), "online": "1", "state": _CONNECTED}
    yield from ((f"{back}/{key}", value) for key, value in (ends | dict(values)).items())
    yield f"{front}/backend", back
    yield f"{front}/state", _CONNECTED


@contextlib.asynccontextmanager
async def serve_xenstore(root: Path, now: Callable[[], Mapping[str, str]]) -> AsyncIterator[None]:
    """On the socket of xenstored below `root`, from what `now` returns."""
    socket = root / "run/xenstored/socket"
    socket.parent.mkdir(parents=True, exist_ok=True)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            while True:
                kind, request, transaction, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                path = (await reader.readexactly(length)).rstrip(b"\0").decode("utf-8", "replace")
                kind, body = _answer(kind, path, now())
                writer.write(_HEADER.pack(kind, request, transaction, len(body)) + body)
                await writer.drain()

    async with await asyncio.start_unix_server(connected, str(socket)):
        yield


def _answer(kind: int, path: str, nodes: Mapping[str, str]) -> tuple[int, bytes]:
    if kind == _READ and path in nodes:
        return kind, nodes[path].encode()
    start = path.rstrip("/") + "/"
    below = sorted({node[len(start) :].partition("/")[0] for node in nodes if node.startswith(start)})
    if kind == _READ and below:
        return kind, b""
    if kind == _DIRECTORY and (below or path in nodes):
        return kind, b"".join(name.encode() + b"\0" for name in below)
    return _ERROR, b"ENOENT\0"
