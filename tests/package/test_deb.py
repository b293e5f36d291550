"""The Debian packages in clean roots: installed, used, upgraded, removed, purged."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from package.roots import Root, unpacked, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)


@pytest.fixture
def root(release: str, package: Path, tmp_path: Path) -> Iterator[Root]:
    with unpacked(release, tmp_path) as one:
        shutil.copy(package, one.folder / "tmp/xenwatch.deb")
        (one.folder / "tmp/xl-web.log").write_text(BRIDGE)
        yield one


def install(root: Root, name: str = "xenwatch.deb") -> None:
    root.run(f"dpkg --force-confold -i /tmp/{name}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_installed_it_knows_its_version_its_rules_and_a_failure(root: Root):
    install(root)
    assert root.run("xenwatch --version").startswith("xenwatch, version ")
    assert "vif-bridge-missing" in root.run("xenwatch rules list")
    said = json.loads(root.run("xenwatch diagnose --format json /tmp/xl-web.log", ok=(1,)))
    assert [i["rule"] for i in said["incidents"] if i["role"] == "cause"] == ["vif-bridge-missing"]
    assert "/usr/share/doc/xenwatch/docs/failures/vif-bridge-missing.md" in root.run(
        "xenwatch diagnose /tmp/xl-web.log", ok=(1,)
    )
    assert root.run("xenwatch check --no-try").startswith("configuration: /etc/xenwatch/xenwatch.toml\n")
    assert root.run("cd /tmp && xenwatch collect -q -o b.tar.gz && xenwatch diagnose b.tar.gz", ok=(0, 1))


def test_what_dpkg_installed_is_what_was_packed(root: Root):
    install(root)
    assert root.run("dpkg --verify xenwatch") == ""
    assert (
        root.run("test -e /usr/lib/systemd/system/xenwatch.service && test -e /usr/share/man/man1/xenwatch.1.gz") == ""
    )
    assert "vif-bridge-missing.yaml" in root.run("find /usr/share/xenwatch/rules -name '*.yaml'")


AGENT = """
cat > /etc/xenwatch/xenwatch.toml <<EOF
[logs]
paths = ["/tmp/xl-*.log"]
[sampling]
libvirt_uri = "test:///default"
[web]
listen = "127.0.0.1:{port}"
EOF
xenwatch agent > /tmp/agent.out 2>&1 &
agent=$!
python3 - <<EOF
import json, time, urllib.request
end = time.monotonic() + 90
while True:
    try:
        told = json.load(urllib.request.urlopen("http://127.0.0.1:{port}/api/v1/incidents", timeout=2))
        if told["total"] or time.monotonic() > end:
            print(json.dumps(told))
            break
    except OSError:
        if time.monotonic() > end:
            raise
    time.sleep(0.3)
EOF
kill -TERM $agent
wait $agent
"""


def test_the_agent_starts_from_the_package_sees_a_failure_and_keeps_its_state_over_an_upgrade(
    root: Root, next_version: Path
):
    install(root)
    told = json.loads(root.run(AGENT.format(port=free_port())))
    assert "vif-bridge-missing" in {i["rule"] for i in told["incidents"]}
    shutil.copy(next_version, root.folder / "tmp/next.deb")
    install(root, "next.deb")
    assert root.run("dpkg-query -W -f '${Version}' xenwatch").endswith(".next")
    assert 'libvirt_uri = "test:///default"' in root.run("cat /etc/xenwatch/xenwatch.toml")
    assert "vif-bridge-missing" in root.run("xenwatch incidents list --all --format json", ok=(1,))


def test_removed_it_leaves_configuration_and_state_and_purged_nothing(root: Root):
    before = root.files()
    install(root)
    root.run(AGENT.format(port=free_port()))
    root.run("dpkg -r xenwatch")
    assert "usr/bin/xenwatch" not in root.files()
    assert {"etc/xenwatch/xenwatch.toml", "var/lib/xenwatch"} <= root.files()
    root.run("dpkg -P xenwatch")
    assert root.files() - before == set()
    assert before - root.files() == set()


def test_what_an_administrator_disabled_stays_disabled_over_an_upgrade(root: Root, next_version: Path):
    link = "/etc/systemd/system/multi-user.target.wants/xenwatch.service"
    install(root)
    root.run(f"test -L {link} && rm {link}")  # as systemctl disable does
    shutil.copy(next_version, root.folder / "tmp/next.deb")
    install(root, "next.deb")
    root.run(f"test ! -L {link}")
