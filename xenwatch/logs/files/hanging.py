"""Folders that do not answer, such as those of an NFS server that is away: asked in a thread before the loop asks."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future

log = logging.getLogger(__name__)

_SECONDS = 1.0
"""How long an answer is waited for; after that the folder is left alone until its answer comes."""


class HangingFolders:
    """One thread for each question. One that hangs costs nothing but itself: no further one is asked about that folder.

    A folder that begins to hang between two questions holds up the loop itself. Then the watchdog of the unit ends the
    agent, and the next one finds out here.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._asked: dict[str, Future[None]] = {}
        self.all: frozenset[str] = frozenset()
        """Those that do not answer now."""

    async def ask(self, folders: Iterable[str]) -> None:
        """Find out which of these answer."""
        for folder in folders:
            if folder not in self._asked:
                self._asked[folder] = _asking(folder)
        waiting = [asyncio.wrap_future(asked) for asked in self._asked.values() if not asked.done()]
        if waiting:
            await asyncio.wait(waiting, timeout=self._seconds)
        self._asked = {folder: asked for folder, asked in self._asked.items() if not asked.done()}
        self._say(frozenset(self._asked))

    def holds(self, path: str) -> bool:
        """Whether to touch the path would hang."""
        return any(path == folder or path.startswith(f"{folder}/") for folder in self.all)

    def _say(self, hanging: frozenset[str]) -> None:
        for folder in sorted(hanging - self.all):
            log.error("%s does not answer (a file server that is away?): its logs are left alone until it does", folder)
        for folder in sorted(self.all - hanging):
            log.info("%s answers again", folder)
        self.all = hanging


def _asking(folder: str) -> Future[None]:
    answer: Future[None] = Future()

    def ask() -> None:
        with contextlib.suppress(OSError):  # it says so at once, and so it will when the loop asks
            os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK))
        answer.set_result(None)

    threading.Thread(target=ask, name=f"asks {folder}", daemon=True).start()
    return answer
