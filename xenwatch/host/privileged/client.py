"""Asks a process with rights on this machine, and tells apart whether it was asked and whether it answered."""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenwatch.base.errors import HostError, NotJson, TimedOut, Unavailable
from xenwatch.host.privileged.wire import LONGEST_ANSWER, decode, encode

_CONNECT_SECONDS = 5.0


async def ask(path: Path, message: Mapping[str, Any], deadline: float) -> dict[str, Any]:
    """The answer within `deadline` seconds.

    Unavailable: it was not reached, so it has done nothing. TimedOut and other HostErrors: it was asked, and what it
    has done is not known.
    """
    reader, writer = await _connect(path)
    try:
        async with asyncio.timeout(deadline):
            writer.write(encode(message))
            await writer.drain()
            line = await reader.readuntil(b"\n")
        return decode(line)
    except TimeoutError:
        raise TimedOut(f"{path}: no answer within {deadline:g} s") from None
    except (OSError, asyncio.IncompleteReadError):
        raise HostError(f"{path}: it ended the connection without an answer") from None
    except (asyncio.LimitOverrunError, NotJson) as error:
        raise HostError(f"{path}: its answer cannot be read: {error}") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await asyncio.open_unix_connection(os.fspath(path), limit=LONGEST_ANSWER)
    except TimeoutError:
        raise Unavailable(f"{path}: it does not take a connection") from None
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror or error}") from error
