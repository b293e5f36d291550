"""A line at debug level is no error, whatever words are in it, and is not even read as a record."""

import pytest

from xenwatch.diagnosis.matching.errors import is_debug


@pytest.mark.parametrize(
    ("line", "debug"),
    [
        (b"[2011-05-18 20:55:04 3456] DEBUG (DevController:95) writing {'failed': '0'} to /local/domain/3", True),
        (b"[2011-05-18 20:55:04 3456] ERROR (DevController:95) DEBUG failed", False),
        (b"libxl: error: libxl_create.c:1921: unable to add vif devices", False),
        (b"x" * 100 + b" DEBUG failed", False),
    ],
)
def test_the_level_stands_at_the_start_of_the_line(line: bytes, debug: bool) -> None:
    assert is_debug(line) is debug
