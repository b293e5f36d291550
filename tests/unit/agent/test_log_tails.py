"""The last lines of a guest's logs: by its name and its domid, the youngest first."""

import os
from pathlib import Path

from xenwatch.agent.log_tails import MOST_LINES, log_tails
from xenwatch.host.inventory import Domain, DomainInventory


def written(folder: Path, name: str, text: str, at: float) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))
    return str(path)


async def test_the_logs_of_a_guest_are_found_by_its_name_and_its_domid_and_the_youngest_comes_first(tmp_path: Path):
    own = written(tmp_path, "xl-web.log", "old\n" * 50 + "the last line\n", 1.0)
    pygrub = written(tmp_path, "bootloader.7.log", "Xen Minimal OS\n", 3.0)
    console = written(tmp_path, "console/guest-web.log", "login:\n", 2.0)
    other = written(tmp_path, "xl-web2.log", "of another guest\n", 4.0)
    followed = {own: "xl", pygrub: "bootloader", console: "console", other: "xl", str(tmp_path / "xl-gone.log"): "xl"}
    inventory = DomainInventory(
        1.0, (Domain("web", "6695eb01", 7, "running"), Domain("web2", "6695eb02", 8, "running"))
    )
    tails = await log_tails(followed, inventory, "web")
    assert [tail.path for tail in tails] == [pygrub, console, own]
    assert tails[2].lines[-1] == "the last line"
    assert len(tails[2].lines) == MOST_LINES
    assert [tail.by_guest for tail in tails] == [True, True, False]
    assert await log_tails(followed, None, "gone") == []


async def test_a_link_that_stands_where_a_log_was_is_not_read(tmp_path: Path):
    secret = written(tmp_path, "secret", "a token\n", 1.0)
    link = tmp_path / "xl-web.log"
    link.symlink_to(secret)
    assert await log_tails({str(link): "xl"}, None, "web") == []
