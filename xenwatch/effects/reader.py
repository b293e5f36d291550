"""Answers what only root may ask of this host and of its neighbours: a fixed list of questions that change nothing."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from xenwatch.base.errors import HostError, InputError
from xenwatch.host.exec.runner import Completed, Runner
from xenwatch.host.privileged.questions import is_question, is_question_there
from xenwatch.host.privileged.reading import told
from xenwatch.host.privileged.secrets import is_secret, without_secrets
from xenwatch.host.privileged.server import LocalPeer
from xenwatch.host.privileged.wire import field_of, only
from xenwatch.host.xenstore.client import Xenstore
from xenwatch.remediation.machine.ssh import SshTransport

_LONGEST_SECONDS = 60.0
_MOST_OUTPUT = 6 * 1024 * 1024
"""Bytes of a program's output; `xl list -l` of a thousand guests is four million."""
_AT_ONCE = 8
"""Programs at one time; further questions wait for their turn."""
_XENSTORE_PATH = re.compile(r"/[A-Za-z0-9_@:./ ~-]{0,3000}")
_MOST_PATHS = 4000


class ReaderService:
    """Programs run with nothing of the agent's environment."""

    def __init__(self, runner: Runner, xenstore: Xenstore, transport: Callable[[], SshTransport]) -> None:
        """`transport`: the way to the other hosts of the policy, which is read each time."""
        self._runner, self._xenstore, self._transport = runner, xenstore, transport
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def answer(self, _peer: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """XenwatchError: refused, and why."""
        asked: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]] = {
            "run": self._run, "xenstore": self._nodes,
        }  # fmt: skip
        word = field_of(message, "do", str)
        if word not in asked:
            raise InputError(f"there is no {word[:40]!r}")
        return await asked[word](message)

    async def _run(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        only(message, "do", "argv", "host", "deadline")
        argv, host = field_of(message, "argv", list), field_of(message, "host", str)
        known = is_question_there if host else is_question
        if not all(isinstance(word, str) for word in argv) or not known(argv):
            raise InputError(f"{' '.join(map(str, argv))[:200]!r} is not one of the questions")
        words = self._transport().argv(tuple(argv), host) if host else tuple(argv)
        try:
            async with self._turns:
                ended: Completed = await self._runner.run(words, _seconds(message), limit=_MOST_OUTPUT)
        except HostError as error:
            return {"code": None, "err": str(error)}
        return told(replace(ended, stdout=without_secrets(ended.stdout)))

    async def _nodes(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        only(message, "do", "kind", "paths", "deadline")
        kind, paths = field_of(message, "kind", int), field_of(message, "paths", list)
        if len(paths) > _MOST_PATHS or not all(isinstance(p, str) and _XENSTORE_PATH.fullmatch(p) for p in paths):
            raise InputError("a path of xenstore has another form")
        if any(map(is_secret, paths)):
            raise InputError("a password in xenstore is told to nobody")
        answers = await self._xenstore.ask(kind, paths, _seconds(message))
        return {"values": [None if answer is None else answer.decode("latin-1") for answer in answers]}


def _seconds(message: Mapping[str, Any]) -> float:
    seconds = message.get("deadline")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_SECONDS:
        raise InputError(f"a deadline is a number of seconds up to {_LONGEST_SECONDS:g}")
    return float(seconds)
