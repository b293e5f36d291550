"""The Debian package in the dom0 of a real Xen host: installed by dpkg, run by its own hardened unit, upgraded, purged.

dom0 reaches no network, so what the package depends on is in the image already: python3 and python3-libvirt.
"""

import json
import re

import install
import pytest
import report
import story as stories
import table
from machine import Machine

pytestmark = pytest.mark.xenhost

MOST_EXPOSED = 3.0
STORY = next(story for story in stories.load() if story.name == "bridge-missing")
LEFT = "ls -d /usr/lib/xenwatch /usr/share/xenwatch /etc/xenwatch /var/lib/xenwatch* /var/cache/xenwatch 2>/dev/null"
UNITS = "systemctl list-units --all --no-legend 'xenwatch*'"
STATE = "systemctl show -p ActiveState -p NRestarts xenwatch"
# a collector that has no subject on this host is not run, so every one that ran must have gone well
FAILED = "curl -sf -m 20 http://127.0.0.1:10197/metrics | grep -E '^xenwatch_collector_success.* 0(\\.0)?$'"
# told as active as soon as it has said READY=1; under emulation that is long after the restart
ACTIVE_AGAIN = "sleep 5; for i in $(seq 150); do systemctl is-active -q xenwatch && exit; sleep 1; done; exit 1"
GUEST = "echo 'vif = [\"bridge=xenbr0\"]' | /opt/xenhost/guest.sh calm grub && xl create /etc/xen/calm.cfg"


@pytest.fixture
def dom0(packaged: Machine) -> Machine:
    packaged.restore("packaged")
    packaged.wait_ready()
    return packaged


def exposure(machine: Machine) -> float:
    said = machine.run("systemd-analyze security --no-pager xenwatch.service", timeout=120).stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found, said
    return float(found[1])


def keep(machine: Machine, **measured: object) -> None:
    """Beside what was kept of this suite, for docs/xenhost.md."""
    kept = report.load("package.json", {})
    suite = machine.image.suite.name
    report.keep("package.json", {**kept, suite: {**kept.get(suite, {}), **measured}})


def test_dpkg_starts_it_shut_away_and_every_collector_still_goes_well(dom0: Machine) -> None:
    assert set(dom0.run(STATE).stdout.split()) == {"ActiveState=active", "NRestarts=0"}
    assert exposure(dom0) <= MOST_EXPOSED
    dom0.run(GUEST, timeout=120)
    assert dom0.run(FAILED, check=False).stdout == "", "something the unit forbids is needed"
    rows, _ = table.compare(dom0)
    assert [(row.told, row.after) for row in rows if not row.agrees] == []
    keep(dom0, exposure=exposure(dom0), numbers=len(rows))


def test_a_missing_bridge_is_told_by_the_packaged_agent_and_by_diagnose_live(dom0: Machine) -> None:
    outcome = stories.play(dom0, STORY)
    assert outcome.ok, outcome.incidents
    keep(dom0, seconds=outcome.met[0][1])
    done = dom0.run("xenwatch diagnose --live --format json", timeout=600, check=False)
    assert done.returncode == 1, done.stderr
    causes = [i for i in json.loads(done.stdout)["incidents"] if i["role"] == "cause"]
    assert any(stories.matches(STORY.expect[0], one) for one in causes), [one["rule"] for one in causes]


def test_killed_and_upgraded_it_goes_on_and_no_guest_notices(dom0: Machine) -> None:
    dom0.run(GUEST, timeout=120)
    guest = dom0.run("xl domid calm").stdout
    stories.play(dom0, STORY)
    told = {i["id"]: i["count"] for i in stories.incidents(dom0) if i["class"] == STORY.expect[0]["class"]}
    assert told
    dom0.run("kill -9 $(systemctl show -P MainPID xenwatch)")
    dom0.run(ACTIVE_AGAIN, timeout=200)
    dom0.run("dpkg -i /root/new.deb", timeout=900)
    install.wait_for_rest(dom0)
    assert dom0.run("dpkg-query -W -f '${Version}' xenwatch").stdout.startswith(install.VERSIONS["new"])
    assert told.items() <= {i["id"]: i["count"] for i in stories.incidents(dom0)}.items()
    assert dom0.run("xl domid calm").stdout == guest


def test_purged_it_leaves_nothing_and_guests_run_on(dom0: Machine) -> None:
    dom0.run(GUEST, timeout=120)
    guest = dom0.run("xl domid calm").stdout
    dom0.run("dpkg -P xenwatch", timeout=300)
    assert dom0.run(LEFT, check=False).stdout == ""
    assert dom0.run(UNITS).stdout == ""
    assert dom0.run("pgrep -af '[x]enwatch.cli'", check=False).stdout == ""
    assert dom0.run("getent passwd xenwatch", check=False).stdout == ""
    assert dom0.run("xl domid calm").stdout == guest
