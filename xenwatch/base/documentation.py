"""Where the documentation lies on this machine."""

from pathlib import Path


def documentation_folders() -> tuple[Path, ...]:
    """Beside the code in a checkout; where the Debian package puts it."""
    return Path(__file__).parents[2] / "docs", Path("/usr/share/doc/xenwatch/docs")
