"""The running agent's API, and the state database where no agent answers."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from xenwatch.agent.config import Config
from xenwatch.agent.config_load import load_config
from xenwatch.agent.settings import show_address
from xenwatch.base.errors import InputError, Unavailable
from xenwatch.diagnosis.ranking import ranked
from xenwatch.journal.query import find_incident, list_incidents
from xenwatch.web.incident_json import incident_json, stamp

DEADLINE = 5.0
_LARGEST = 64 * 1024 * 1024
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here; it is what a person may have configured


class Running:
    """Asks the agent at `url`, or the one that the configuration describes."""

    def __init__(self, url: str | None, config: Path | None) -> None:
        self._asked = url is not None
        self._config: Config = Config() if url else load_config(config, dict(os.environ)).config
        host, port = self._config.web.listen
        self.url = (url or f"http://{show_address((_ANY.get(host, host), port))}").rstrip("/")

    def incidents(self) -> tuple[list[dict[str, Any]], str]:
        """All incidents, whole, the most likely root cause first; and where they come from."""
        try:
            answer = self.get("/api/v1/incidents?full=1")
        except Unavailable:
            if self._asked:
                raise
            folder = self._config.agent.state_dir
            try:
                return [
                    incident_json(one) for one in ranked(list_incidents(folder))
                ], f"no agent at {self.url}: from {folder}"
            except InputError as error:
                raise InputError(f"no agent answers at {self.url}, and {error}") from None
        return answer["incidents"], self.url

    def incident(self, wanted: str) -> dict[str, Any]:
        """One incident with its history. InputError where there is none, or several begin so."""
        try:
            found: dict[str, Any] = self.get(f"/api/v1/incidents/{quote(wanted, safe='')}")["incident"]
        except Unavailable:
            if self._asked:
                raise
            one, changes = find_incident(self._config.agent.state_dir, wanted)
            history = [{"at": stamp(c.at), "what": c.what, "detail": c.detail} for c in changes]
            return {**incident_json(one), "history": history}
        return found

    def acknowledge(self, wanted: str, who: str) -> dict[str, Any]:
        """Tell the agent that `who` looks after it. Unavailable where no agent runs: nobody would keep it."""
        body = json.dumps({"by": who}).encode()
        path = f"/api/v1/incidents/{quote(wanted, safe='')}/acknowledge"
        found: dict[str, Any] = self._ask(path, body)["incident"]
        return found

    def get(self, path: str) -> Any:
        """The JSON at a path. Unavailable: no agent answers; InputError: it refuses."""
        return self._ask(path, None)

    def _ask(self, path: str, body: bytes | None) -> Any:
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"{self.url!r} is not the address of an agent; write it like http://127.0.0.1:10197")
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {})}
        request = urllib.request.Request(self.url + path, data=body, headers=headers)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:  # noqa: S310 - as above
                return json.loads(answer.read(_LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:  # noqa: PLR2004 - /healthz and /readyz answer so and still say why
                    return json.loads(error.read(_LARGEST))
                raise InputError(_refusal(error)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise Unavailable(
                f"no agent answers at {self.url}: {reason}; is it running? systemctl status xenwatch"
            ) from None


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(_LARGEST))["error"])
    except (ValueError, KeyError, TypeError):
        return f"the agent answered {error.code} {error.reason}"
