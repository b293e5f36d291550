"""The package on a booted Debian, under the systemd that will run it: started, killed, hung, upgraded, purged."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from package.booted import Booted, booted, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

MOST_EXPOSED = 3.0
API = "http://127.0.0.1:10197/api/v1/incidents"
ASK = "python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode())'"
SOON = 30.0
"""Seconds: for an answer or an incident on a busy machine. Measured: one to three."""
SHORT_WATCHDOG = "[Service]\nWatchdogSec=6s\nTimeoutAbortSec=2s\n"
"""As the unit's own, but for patience."""

FAR_HOST = """
cat > /usr/bin/xm <<'EOF'
#!/bin/sh
case $1 in
  list) echo "(domain (domid 1) (name ancient) (memory 64) (vcpus 1) (state -b----))" ;;
  info) echo "host : far" ;;
  *) exit 1 ;;
esac
EOF
chmod +x /usr/bin/xm
mkdir -p -m 700 /etc/xenwatch/ssh /root/.ssh /var/lib/xenwatch/.ssh
ssh-keygen -q -t ed25519 -N '' -f /etc/xenwatch/ssh/id_ed25519
cp /etc/xenwatch/ssh/id_ed25519.pub /root/.ssh/authorized_keys
ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null > /var/lib/xenwatch/.ssh/known_hosts
cat > /var/lib/xenwatch/.ssh/config <<'EOF'
Host far
 HostName 127.0.0.1
 User root
 IdentityFile /etc/xenwatch/ssh/id_ed25519
EOF
cat > /etc/xenwatch/far.toml <<'EOF'
[sampling]
ssh = "far"
libvirt_uri = ""
[web]
listen = "127.0.0.1:10200"
EOF
"""
"""A host of xend's, as far as `xm` goes, and what the user xenwatch needs to reach it."""

Measure = Callable[[str, object], None]


@pytest.fixture(scope="module")
def measured(record_testsuite_property: Measure) -> Measure:
    """Says a number, to be seen with `pytest -s` and in the report's XML."""

    def say(what: str, number: object) -> None:
        print(f"\n  measured: {what}: {number}")  # noqa: T201  what the tier is run for
        record_testsuite_property(what, number)

    return say


@pytest.fixture(scope="module")
def machine(release: str, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with booted(release, tmp_path_factory.mktemp("booted")) as one:
        install(one, package)
        yield one


@pytest.fixture
def clean(release: str, tmp_path: Path) -> Iterator[Booted]:
    with booted(release, tmp_path) as one:
        yield one


def install(machine: Booted, package: Path) -> None:
    shutil.copy(package, machine.folder / "root/xenwatch.deb")
    machine.run("mkdir -p /var/log/xen && dpkg --force-confold -i /root/xenwatch.deb")


def fails_to_start(machine: Booted, guest: str, folder: str = "/var/log/xen") -> None:
    """What libxl writes of a guest whose bridge is missing, appended to its log."""
    said = (
        "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7"
    )
    machine.run(f"mkdir -p {folder} && echo '{said}' >> {folder}/xl-{guest}.log")


def told_of(machine: Booted, guest: str, url: str = API) -> float:
    """Seconds until the agent tells of that guest."""
    return machine.until(f"{ASK} '{url}' | grep -q '\"name\": *\"{guest}\"'", SOON)


def incidents(machine: Booted, url: str = API) -> dict[str, tuple[str, int]]:
    """The id and the count of each guest's incident."""
    told = json.loads(machine.run(f"{ASK} {url}"))["incidents"]
    return {i["subject"]["name"]: (i["id"], i["count"]) for i in told if i["rule"] == "vif-bridge-missing"}


def main_pid(machine: Booted, unit: str = "xenwatch") -> int:
    return int(machine.run(f"systemctl show -P MainPID {unit}"))


def test_installing_starts_it_and_systemd_hears_that_it_is_ready(machine: Booted):
    assert machine.run("systemctl is-active xenwatch").strip() == "active"
    assert machine.run("systemctl is-enabled xenwatch").strip() == "enabled"
    assert machine.run("systemctl show -P Type,WatchdogUSec,StatusText xenwatch").split("\n\n")[0].startswith("notify")
    assert machine.run(f"{ASK} http://127.0.0.1:10197/healthz").startswith('{"ok": true')
    assert machine.run("systemctl --failed --no-legend") == ""


@pytest.mark.parametrize("unit", ["xenwatch", "xenwatch@old1"])
def test_systemd_calls_the_unit_shut(machine: Booted, unit: str, measured: Measure):
    said = machine.run(f"systemd-analyze security --no-pager {unit}.service")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found, said
    measured(f"exposure of {unit}", found[1])
    assert float(found[1]) <= MOST_EXPOSED


def test_the_agent_is_not_root_and_what_needs_root_waits_behind_sockets(machine: Booted):
    assert machine.run("systemctl show -P User xenwatch").strip() == "xenwatch"
    sockets = "xenwatch-reader.socket xenwatch-effects.socket"
    assert machine.run(f"systemctl is-active {sockets}").split() == ["active", "active"]
    assert machine.run(f"systemctl is-enabled {sockets}").split() == ["enabled", "enabled"]
    for path in ("/run/xenwatch-reader/reader.sock", "/run/xenwatch-effects/effects.sock"):
        assert machine.run(f"stat -c '%U:%G %a' {path}").strip() == "root:xenwatch 660"
        assert machine.run(f"stat -c '%U %a' {path.rpartition('/')[0]}").strip() == "root 755"


PING = """
python3 - <<'EOF'
import os, sys
os.setgid(__import__("grp").getgrnam("xenwatch").gr_gid); os.setuid(__import__("pwd").getpwnam("xenwatch").pw_uid)
import json, socket
def ask(path, message):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    s.sendall(json.dumps(message).encode() + bytes([10]))
    return json.loads(s.makefile().readline())
print(json.dumps([
    ask("/run/xenwatch-effects/effects.sock", {"do": "ping"}),
    ask("/run/xenwatch-reader/reader.sock", {"do": "run", "argv": ["dmsetup", "ls"], "host": "", "deadline": 10}),
    ask("/run/xenwatch-reader/reader.sock", {"do": "run", "argv": ["id"], "host": "", "deadline": 10}),
]))
EOF
"""


def test_both_programs_answer_the_agents_user_under_their_units(machine: Booted):
    effects, question, other = json.loads(machine.run(PING))
    assert "policy.toml" in str(effects.get("refused", "policy.toml"))  # none is installed
    assert "refused" not in question
    assert "not one of the questions" in other["refused"]


REPAIR = """
printf '[remediation]\\nhost = "xen1"\\nmode = "propose"\\n' > /etc/xenwatch/policy.toml
for tool in xl xenstore-ls ip; do
  printf '#!/bin/sh\\necho "$0 $*"\\n' > /usr/local/sbin/$tool && chmod +x /usr/local/sbin/$tool
done
printf '#!/bin/sh\\ncat /proc/self/status\\n' > /usr/bin/dmesg
systemctl restart xenwatch
xenwatch remediation run collect_diagnostics host >&2
xenwatch remediation list --format json
"""
"""`dmesg` tells with which rights it runs: it is the order of this action that gets a unit of its own."""


def test_what_a_person_consented_to_the_helper_carries_out_under_its_unit_and_in_units_of_its_own(machine: Booted):
    (run,) = json.loads(machine.run(REPAIR))["runs"]
    machine.run(f"xenwatch remediation approve {run['id']} --plan-hash {run['plan_hash']}")
    ended = f'xenwatch remediation show {run["id"]} --format json | grep -qE \'"state": "(succeeded|failed|unknown)"\''
    machine.until(ended, 120)
    told = json.loads(machine.run(f"xenwatch remediation show {run['id']} --format json"))
    assert told["run"]["state"] == "succeeded", told
    kept = f"/var/lib/xenwatch-effects/diagnostics/{run['id']}"
    status = dict(line.split(":", 1) for line in machine.run(f"cat {kept}/kernel.txt").splitlines() if ":" in line)
    assert {key: status[key].strip() for key in ("NoNewPrivs", "Seccomp")} == {"NoNewPrivs": "1", "Seccomp": "2"}
    assert machine.run(f"stat -c '%U' {kept} /var/lib/xenwatch-effects/ledger.jsonl").split() == ["root", "root"]
    assert machine.run(f"ps -o user= -p {main_pid(machine)}").strip() == "xenwatch"
    machine.run("rm /etc/xenwatch/policy.toml && systemctl restart xenwatch")


def test_a_line_in_a_log_becomes_an_incident(machine: Booted, measured: Measure):
    fails_to_start(machine, "web1")
    measured("seconds from the line to the incident", round(told_of(machine, "web1"), 1))
    assert "domain/web1" in machine.run("xenwatch incidents list", ok=(0, 1))


def test_killed_it_is_started_again_and_what_was_written_meanwhile_is_told_once(machine: Booted, measured: Measure):
    fails_to_start(machine, "web2")
    told_of(machine, "web2")
    before, killed = incidents(machine)["web2"], main_pid(machine)
    machine.run(f"sleep 2; kill -9 {killed}")
    fails_to_start(machine, "web3")
    measured("seconds from kill -9 to the next incident", round(told_of(machine, "web3"), 1))
    assert main_pid(machine) != killed
    after = incidents(machine)
    assert after["web2"] == before
    assert after["web3"][1] == 1


def test_restarted_it_goes_on_where_it_was(machine: Booted):
    fails_to_start(machine, "web4")
    told_of(machine, "web4")
    machine.run("systemctl stop xenwatch")
    fails_to_start(machine, "web5")
    machine.run("systemctl start xenwatch")
    told_of(machine, "web5")
    after = incidents(machine)
    assert (after["web4"][1], after["web5"][1]) == (1, 1)


def test_reloaded_it_stays_the_same_process(machine: Booted):
    before = main_pid(machine)
    machine.run("systemctl reload xenwatch && sleep 1 && systemctl is-active xenwatch")
    assert main_pid(machine) == before


def test_hung_it_is_ended_by_the_watchdog_and_started_again(machine: Booted, measured: Measure):
    place = "/run/systemd/system/xenwatch.service.d"
    machine.run(f"mkdir -p {place} && printf '%s' '{SHORT_WATCHDOG}' > {place}/short.conf && systemctl daemon-reload")
    machine.run("systemctl restart xenwatch && sleep 15 && systemctl is-active xenwatch")
    hung = main_pid(machine)
    assert machine.run("systemctl show -P NRestarts xenwatch").strip() == "0", "a working agent feeds its watchdog"
    machine.run(f"kill -STOP {hung}")
    again = "systemctl is-active -q xenwatch && test $(systemctl show -P MainPID xenwatch) -ne"
    measured("seconds from SIGSTOP to a new agent (watchdog of 6 s)", round(machine.until(f"{again} {hung}", 60), 1))
    assert "watchdog" in machine.run("journalctl -u xenwatch --no-pager -o cat")
    machine.run(f"rm -r {place} && systemctl daemon-reload && systemctl restart xenwatch")


def test_two_old_hosts_are_watched_from_one_machine_each_by_its_own_instance(machine: Booted):
    ports = {"old1": 10198, "old2": 10199}
    for host, port in ports.items():
        config = f'[logs]\\npaths = ["/srv/{host}/*.log"]\\n[web]\\nlisten = "127.0.0.1:{port}"\\n'
        machine.run(f"printf '{config}' > /etc/xenwatch/{host}.toml && systemctl start xenwatch@{host}")
        fails_to_start(machine, f"guest-of-{host}", f"/srv/{host}")
        machine.run(f"chmod 700 /srv/{host}")  # as a mounted log folder that root alone may read
    for host, port in ports.items():
        url = f"http://127.0.0.1:{port}/api/v1/incidents"
        told_of(machine, f"guest-of-{host}", url)
        assert set(incidents(machine, url)) == {f"guest-of-{host}"}
        assert machine.run(f"ps -o user= -p {main_pid(machine, f'xenwatch@{host}')}").strip() == "xenwatch"
        owners = machine.run(f"stat -c %U /var/lib/xenwatch/{host} /var/cache/xenwatch/{host}").split()
        assert owners == ["xenwatch", "xenwatch"]
    assert machine.run("stat -c %U /var/lib/xenwatch /var/cache/xenwatch").split() == ["xenwatch", "xenwatch"]
    machine.run("systemctl stop 'xenwatch@*' && systemctl is-active xenwatch")


def test_an_old_host_is_asked_through_ssh_with_a_key_that_is_roots(machine: Booted):
    machine.run(FAR_HOST)
    machine.run("systemctl start xenwatch@far")
    machine.until(f"{ASK} http://127.0.0.1:10200/metrics | grep -q '^xen_domain_.*domain=\"ancient\"'", SOON)
    machine.run("systemctl stop xenwatch@far")


def test_upgraded_it_runs_the_new_version_and_forgets_nothing(clean: Booted, package: Path, next_version: Path):
    install(clean, package)
    fails_to_start(clean, "web1")
    told_of(clean, "web1")
    before, pid = incidents(clean)["web1"], main_pid(clean)
    install(clean, next_version)
    assert main_pid(clean) != pid
    fails_to_start(clean, "web2")
    told_of(clean, "web2")
    assert incidents(clean)["web1"] == before


def test_purged_it_leaves_no_process_no_unit_no_user_and_no_file(clean: Booted, package: Path):
    before = clean.files()
    users = clean.run("getent passwd; getent group")
    install(clean, package)
    clean.run("printf '[web]\\nlisten = \"127.0.0.1:10198\"\\n' > /etc/xenwatch/old1.toml")
    clean.run("systemctl enable --now xenwatch@old1")
    clean.run("dpkg -P xenwatch")
    assert clean.run("pgrep -af '[x]enwatch'", ok=(1,)) == ""
    assert clean.run("systemctl list-units --all --no-legend 'xenwatch*'") == ""
    assert clean.run("getent passwd; getent group") == users
    # what an administrator wrote stays
    assert clean.files() - before - {"root/xenwatch.deb"} == {"etc/xenwatch", "etc/xenwatch/old1.toml"}
