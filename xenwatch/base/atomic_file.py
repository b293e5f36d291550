"""Files that may be lost at any time: written whole or not at all."""

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put `content` in `path`, so that a reader sees the old file or the new one. OSError where it cannot be."""
    import tempfile  # noqa: PLC0415  a start writes nothing, most of the time

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(handle, mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
