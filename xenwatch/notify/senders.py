"""The ways to a receiver: Apprise for mail and chat services, a webhook with the whole incident, a program."""

import asyncio
import logging
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from xenwatch.base.errors import HostError, XenwatchError
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.notify.message import Message

DEADLINE = 30.0
"""Longest time for one delivery."""
_LONGEST_VARIABLE = 100_000
_MOST_SECRET = 64 * 1024


class Undelivered(XenwatchError):
    """A message was not delivered; the words hold no secret."""


def read_secret(path: Path) -> str:
    """The content of a file that others cannot read. Undelivered says why it cannot be used; read at each delivery."""
    try:
        if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise Undelivered(f"{path} holds a secret, but others may read or write it; run chmod 640 on it")
        return path.read_text("utf-8")[:_MOST_SECRET].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Undelivered(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}") from None


@dataclass(frozen=True, slots=True)
class AppriseSender:
    """Mail, ntfy, Matrix, Slack, Mattermost and whatever else Apprise knows, by URLs of its kind."""

    urls: Callable[[], str]
    """One a line; read again for each message, so that a changed file counts."""

    @property
    def kind(self) -> str:
        return "apprise"

    async def send(self, message: Message) -> None:
        urls = [line.strip() for line in self.urls().splitlines() if line.strip() and not line.startswith("#")]
        if not urls:
            raise Undelivered("no URL is given")
        for number, url in enumerate(urls, 1):
            await self._send(f"URL {number}", url, message)

    async def _send(self, which: str, url: str, message: Message) -> None:
        import apprise  # noqa: PLC0415 - half a second and 20 MB, for those who use it

        for name in ("apprise", "urllib3"):  # some of their lines repeat the URL, and that is a secret
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("apprise").propagate = False
        service = apprise.Apprise()
        if not service.add(url):
            raise Undelivered(f"{which} ({url.partition(':')[0][:20]}) is not one that Apprise knows")
        level = {"resolved": "success", "test": "info"}.get(message.reason) or (
            "failure" if message.severity in ("error", "critical") else "warning"
        )
        text = {"title": message.title, "body": message.body, "notify_type": level, "body_format": "text"}
        try:
            async with asyncio.timeout(DEADLINE):
                with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
                    done = await service.async_notify(**text)
                    reason = said.getvalue()
        except TimeoutError:
            raise Undelivered(f"{which}: no answer within {DEADLINE:g} s") from None
        if not done:
            raise Undelivered(f"{which}: {_without_secrets(reason, url) or 'refused'}")


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Posts the message and its incidents as JSON."""

    url: str
    token: Callable[[], str] | None = None

    @property
    def kind(self) -> str:
        return "webhook"

    async def send(self, message: Message) -> None:
        import aiohttp  # noqa: PLC0415 - slow to load, and commands that only read a secret post nothing

        headers = {"Authorization": f"Bearer {self.token()}"} if self.token is not None else {}
        place = urlsplit(self.url).hostname
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE)) as session,
                session.post(self.url, json=message.document(), headers=headers, allow_redirects=False) as answer,
            ):
                if not 200 <= answer.status < 300:  # noqa: PLR2004 - any 2xx
                    raise Undelivered(f"{place} answered {answer.status}")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Undelivered(f"{place}: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class ProgramSender:
    """Runs a program; the message is in its environment, so that no text becomes an argument."""

    argv: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "program"

    async def send(self, message: Message) -> None:
        variables = {"REASON": message.reason, "SEVERITY": message.severity, "HOST": message.host}
        variables |= {"TITLE": message.title, "BODY": message.body}
        variables |= {"INCIDENTS": " ".join(incident.id for incident in message.incidents)}
        told = {f"XENWATCH_NOTIFY_{name}": text[:_LONGEST_VARIABLE] for name, text in variables.items()}
        try:
            done = await SystemRunner(told).run(self.argv, DEADLINE)
        except HostError as error:
            raise Undelivered(str(error)) from None
        if done.returncode != 0:
            raise Undelivered(f"{self.argv[0]} ended with {done.returncode}")


def _without_secrets(text: str, url: str) -> str:
    """The last line of what was said, without any part of the URL that may be one."""
    line = (text.strip().splitlines() or [""])[-1][:200]
    parts = urlsplit(url)
    secrets: list[Any] = [parts.password, parts.username, parts.query, *parts.path.split("/")]
    for secret in secrets:
        if secret and len(secret) > 3:  # noqa: PLR2004 - shorter ones are words such as `v1`
            line = line.replace(secret, "***")
    return line
