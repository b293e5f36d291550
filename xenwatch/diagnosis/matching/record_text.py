"""The text of a record as signatures see it."""

from xenwatch.base import lazy_re as re

_SHORT, _END = 2048, 256
_RUN = re.compile(rf"(?<![\w.:/+-])[\w.:/+-]{{{2 * _END + 1},}}", re.ASCII)
r"""No name and no path is that long. `(?P<program>[\w.:/-]+) invoked` takes its square: 64 KiB took minutes."""


def text_of(raw: bytes) -> str:
    """Text of a record as signatures see it: UTF-8, bad bytes replaced, plain newlines, endless words shortened."""
    text = raw.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").rstrip("\r") if "\r" in text else text
    return _RUN.sub(_ends, text) if len(text) > _SHORT else text


def _ends(run: re.Match[str]) -> str:
    return f"{run[0][:_END]}…{run[0][-_END:]}"
