"""The Ansible role, played by Debian's ansible-core in a clean root on itself; a second time it changes nothing."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from package.roots import CHECKOUT, NEEDS, Root, unpacked, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("release", ["bookworm"], scope="session"),  # one release shows it
    pytest.mark.timeout(3000),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
PLAY = (
    "cd /tmp/ansible && ansible-playbook -c local -i localhost, play.yml -e xenwatch_package=/tmp/xenwatch.deb"
    " </dev/null 2>&1"
)
BOOK = """- hosts: all
  gather_facts: false
  roles:
    - role: xenwatch
      vars:
        xenwatch_started: false
        xenwatch_settings: {{web: {{listen: "{listen}"}}}}
        xenwatch_policy: |
          [remediation]
          mode = "observe"
          host = "xen1"
"""


@pytest.fixture
def root(release: str, package: Path, tmp_path: Path) -> Iterator[Root]:
    with unpacked(release, tmp_path, f"{NEEDS},ansible-core,python3-apt") as one:
        shutil.copy(package, one.folder / "tmp/xenwatch.deb")
        shutil.copytree(CHECKOUT / "packaging/ansible", one.folder / "tmp/ansible")
        yield one


def played(root: Root, listen: str, ok: tuple[int, ...] = (0,)) -> str:
    (root.folder / "tmp/ansible/play.yml").write_text(BOOK.format(listen=listen))
    return root.run(PLAY, ok=ok, timeout=900)


def test_the_role_installs_and_configures_and_changes_nothing_the_second_time(root: Root):
    first = played(root, "127.0.0.1:10297")
    assert re.search(r"failed=0", first), first
    assert "127.0.0.1:10297" in root.run("xenwatch check --no-try | grep web.listen")
    assert re.search(r"changed=0 .*failed=0", played(root, "127.0.0.1:10297"))
    # what xenwatch refuses does not take the place of what is in force
    assert "failed=1" in played(root, "nowhere", ok=(2,))
    assert "127.0.0.1:10297" in root.run("xenwatch check --no-try | grep web.listen")
