"""Where what the package brings beside its code lies."""

from pathlib import Path


def bundled(name: str) -> Path:
    """The folder of that name inside the installed package; it need not exist, as in a checkout."""
    return Path(__file__).parents[1] / "_bundled" / name
