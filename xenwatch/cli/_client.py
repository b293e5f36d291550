"""The API of the running agent, and the state database if no agent answers."""

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from xenwatch.base.errors import InputError, Unavailable
from xenwatch.cli import _socket
from xenwatch.config.listeners import socket_of, tls_of
from xenwatch.config.loader import load_config
from xenwatch.config.sections import Config
from xenwatch.config.settings import show_address
from xenwatch.diagnosis.incidents.ranking import ranked
from xenwatch.model.public_json import public_relations
from xenwatch.state.query import find_incident, list_incidents
from xenwatch.web.incident_json import incident_json, stamp

DEADLINE = 5.0
TOKEN_VARIABLE = "XENWATCH_TOKEN"  # noqa: S105 - the name of a variable
"""Holds a person's token for the API of the agent; on a command line others could read it."""
_LARGEST = 64 * 1024 * 1024
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here; it is what a person may have configured


class Running:
    """The agent at `url`, or the one that the configuration describes."""

    def __init__(self, url: str | None, config: Path | None) -> None:
        self._has_url = url is not None
        self._config: Config = Config() if url else load_config(config, dict(os.environ)).config
        host, port = self._config.web.listen
        scheme = "http" if tls_of(self._config.web) is None else "https"
        self._socket = None if url else socket_of(self._config.web)
        """Of this machine's agent; on it the kernel says who asks, so that nobody needs a token."""
        self.url = (url or f"{scheme}://{show_address((_ANY.get(host, host), port))}").rstrip("/")

    def incidents(self) -> tuple[list[dict[str, Any]], str]:
        """All incidents in full, the most likely root cause first; and where they come from."""
        try:
            answer = self.get("/api/v1/incidents?full=1")
        except Unavailable:
            if self._has_url:
                raise
            folder = self._config.agent.state_dir
            try:
                kept = ranked(list_incidents(folder))
            except InputError as error:
                raise InputError(f"no agent answers at {self.url}, and {error}") from None
            return [incident_json(incident) for incident in kept], f"no agent answers at {self.url}; read from {folder}"
        return answer["incidents"], self.url

    def incident(self, wanted: str) -> dict[str, Any]:
        """One incident with its history. InputError if there is none, or if several ids start like this."""
        try:
            content: dict[str, Any] = self.get(f"/api/v1/incidents/{quote(wanted, safe='')}")["incident"]
        except Unavailable:
            if self._has_url:
                raise
            incident, changes = find_incident(self._config.agent.state_dir, wanted)
            history = [{"at": stamp(c.at), "what": c.what, "detail": c.detail} for c in changes]
            relations = public_relations(incident, list_incidents(self._config.agent.state_dir))
            return {**incident_json(incident), **relations, "history": history}
        return content

    def acknowledge(self, wanted: str, who: str, **said: Any) -> dict[str, Any]:
        """Record that `who` takes care of it. Unavailable if no agent runs, for only the agent can store it."""
        return self._tell(wanted, "acknowledge", {"by": who, **said})

    def remark(self, wanted: str, who: str, what: str, text: str) -> dict[str, Any]:
        """Record what `who` says or does about it; the same applies."""
        return self._tell(wanted, "remarks", {"by": who, "what": what, "text": text})

    def _tell(self, wanted: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        address = f"/api/v1/incidents/{quote(wanted, safe='')}/{path}"
        content: dict[str, Any] = self._ask(address, json.dumps(body).encode())["incident"]
        return content

    def get(self, path: str) -> Any:
        """The JSON at a path. Unavailable: no agent answers; InputError: it refuses."""
        return self._ask(path, None)

    def text(self, path: str) -> str:
        """The text at a path. Unavailable: no agent answers; InputError: it refuses."""
        return self._answer(path, None).decode("utf-8", "replace")

    def _ask(self, path: str, body: bytes | None) -> Any:
        try:
            return json.loads(self._answer(path, body))
        except ValueError as error:
            raise self._unavailable(error) from None

    def _answer(self, path: str, body: bytes | None) -> bytes:
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"{self.url!r} is not the address of an agent; write it like http://127.0.0.1:10197")
        try:
            with self._open(path, body) as answer:
                content: bytes = answer.read(_LARGEST)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 503:  # noqa: PLR2004 - /healthz and /readyz answer so and still say why
                    raise InputError(_refusal(error)) from None
                content = error.read(_LARGEST)
        except (OSError, ValueError) as error:
            raise self._unavailable(error) from None
        return content

    def _open(self, path: str, body: bytes | None) -> Any:
        """Over the socket where it lets us in, else over TCP. OSError as urllib has it."""
        headers = _headers(body)
        if self._socket is not None and _socket.answers(self._socket, DEADLINE):
            request = urllib.request.Request("http://localhost" + path, data=body, headers=headers)
            return _socket.opener(self._socket).open(request, timeout=DEADLINE)
        request = urllib.request.Request(self.url + path, data=body, headers=headers)  # noqa: S310 - checked by the caller
        return urllib.request.urlopen(request, timeout=DEADLINE, context=self._tls())  # noqa: S310 - as above

    def _unavailable(self, error: Exception) -> Unavailable:
        reason = getattr(error, "reason", None) or error
        return Unavailable(f"no agent answers at {self.url}: {reason}; is it running? systemctl status xenwatch")

    def _tls(self) -> ssl.SSLContext | None:
        """For the agent of this machine: trust its own certificate, and present it if the agent asks for one."""
        files = tls_of(self._config.web)
        if files is None:
            return None
        context = ssl.create_default_context(cafile=files.certificate)
        context.check_hostname = (
            False  # it is reached by its address; what counts is that it has exactly this certificate
        )
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if files.client_ca is not None:
            context.load_cert_chain(files.certificate, files.key)
        return context


def _headers(body: bytes | None) -> dict[str, str]:
    token = os.environ.get(TOKEN_VARIABLE)
    return {
        "Accept": "*/*" if body is None else "application/json",
        **({"Content-Type": "application/json"} if body else {}),
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(_LARGEST))["error"])
    except (ValueError, KeyError, TypeError):
        return f"the agent answered {error.code} {error.reason}"
