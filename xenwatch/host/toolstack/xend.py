"""Asks xend, the toolstack of Xen 3 and early 4: over its XML-RPC socket, else through `xm`."""

import asyncio
import http.client
import os
import socket
import xmlrpc.client
from collections.abc import Sequence
from pathlib import Path

from xenwatch.base.errors import HostError, TimedOut, Unavailable
from xenwatch.host.exec.runner import Runner
from xenwatch.host.parse.xl_info import parse_info
from xenwatch.host.parse.xl_list import XlDomain
from xenwatch.host.paths import Paths
from xenwatch.host.toolstack.sxp import child, parse_sxp
from xenwatch.host.toolstack.xl import XlVcpu, parse_vcpus

_MIB = 1024 * 1024


class Xend:
    """xend tells in one answer what xl tells in one list."""

    name = "xend"

    def __init__(self, paths: Paths, runner: Runner) -> None:
        self.up = False
        self._socket, self._runner = paths.xend_socket, runner

    async def domains(self, deadline: float = 5.0) -> list[XlDomain]:
        """All active domains: `xend.domains(True)`, or `xm list --long` where the socket is not served."""
        if self._is_open():
            answer = await self._ask("xend.domains", deadline, 1)
        else:
            answer = parse_sxp(await self._xm(deadline, "list", "--long"))
        if not isinstance(answer, list):
            raise HostError(f"xend.domains: expected a list, got {type(answer).__name__}")
        return [found for sxp in answer if (found := domain_from(sxp)) is not None]

    async def vcpus(self, deadline: float = 5.0) -> list[XlVcpu]:
        return parse_vcpus(await self._xm(deadline, "vcpu-list"))

    async def info(self, deadline: float = 5.0) -> dict[str, str]:
        if not self._is_open():
            return parse_info(await self._xm(deadline, "info"))
        answer = await self._ask("xend.node.info", deadline)
        pairs = answer if isinstance(answer, list) else []
        return {str(pair[0]): str(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2}  # noqa: PLR2004

    def _is_open(self) -> bool:
        """Whether xend serves its socket to us: it answers root alone; for others there is `xm`, through the reader."""
        return self._socket.exists() and os.access(self._socket, os.W_OK)

    async def _ask(self, method: str, deadline: float, *arguments: int) -> object:
        self.up = False
        try:
            answer = await asyncio.to_thread(_call, self._socket, method, arguments, deadline)
        except TimeoutError:
            raise TimedOut(f"{method}: xend did not answer within {deadline:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{method}: {self._socket}: {error}") from error
        except xmlrpc.client.Error as error:
            raise HostError(f"{method}: {error}") from error
        self.up = True
        return answer

    async def _xm(self, deadline: float, *words: str) -> str:
        self.up, text = False, (await self._runner.run(("xm", *words), deadline)).checked().text
        self.up = True
        return text


def domain_from(sxp: object) -> XlDomain | None:
    """A domain of xend's; None for one that is defined and does not run, which has no domid."""
    if not isinstance(sxp, list) or not sxp or sxp[0] != "domain":
        return None
    domid, name, state = (child(sxp, key) for key in ("domid", "name", "state"))
    if domid is None or not domid.isdigit() or state is None:
        return None
    return XlDomain(
        domid=int(domid),
        name=name or None,
        uuid=child(sxp, "uuid"),
        memory_bytes=_number(child(sxp, "memory")) * _MIB,
        vcpus=_number(child(sxp, "online_vcpus") or child(sxp, "vcpus")),
        flags=state,
        cpu_seconds=_seconds(child(sxp, "cpu_time")),
        shutdown_reason=child(sxp, "shutdown_reason") if set(state) & set("sc") else None,
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def _seconds(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _call(path: Path, method: str, arguments: Sequence[int], deadline: float) -> object:
    """In a thread; the socket's timeout ends it."""
    request = xmlrpc.client.dumps(tuple(arguments), method)
    connection = _UnixConnection(path, deadline)
    try:
        connection.request("POST", "/RPC2", request.encode(), {"Content-Type": "text/xml"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    (answer,), _ = xmlrpc.client.loads(body)
    return answer


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket, as xend serves it; it does not look at the Host header."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
