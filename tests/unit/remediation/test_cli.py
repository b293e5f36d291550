"""The words of the command line about remediation, on a journal of their own."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from xenwatch.base.errors import XenwatchError
from xenwatch.cli import audit, policy, preflight, remediation
from xenwatch.host.libvirt.client import Libvirt

POLICY = """
[remediation]
host = "xen1"
mode = "auto"
[[guest]]
name = "web"
uuid = "11111111-1111-4111-8111-111111111111"
config = "/etc/xen/web.cfg"
desired = "running"
tags = ["auto"]
[[rule]]
name = "down"
mode = "auto"
max_risk = "L2"
[rule.when]
diagnosis = "guest-down"
[rule.scope]
selector = "tag:auto"
[[rule.ladder]]
action = "domain_start"
[[rule]]
name = "nobody"
[rule.when]
diagnosis = "x"
[[rule.ladder]]
action = "notify"
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "policy.toml").write_text(POLICY)
    monkeypatch.setenv("XENWATCH_REMEDIATION_POLICY", str(tmp_path / "policy.toml"))
    monkeypatch.setenv("XENWATCH_AGENT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SUDO_USER", "ann")

    def call(command, *words):
        result = CliRunner().invoke(command, words)
        if isinstance(result.exception, Exception) and not isinstance(result.exception, SystemExit | XenwatchError):
            raise result.exception
        return result

    return call


def test_a_policy_is_checked_and_a_rule_for_nobody_is_pointed_out(run):
    result = run(policy.COMMAND, "check")
    assert result.exit_code == 0
    assert "down: auto; domain_start; guests: web" in result.output
    assert "nobody has no selector" in result.stderr


def test_a_rule_that_waits_for_a_failure_nobody_knows_is_pointed_out(run, tmp_path):
    said = POLICY.replace('diagnosis = "guest-down"', 'class = "domain-crash"')
    (tmp_path / "policy.toml").write_text(said)
    assert (
        "no known failure has the class domain-crash; did you mean domain-crashed?"
        in run(policy.COMMAND, "check").stderr
    )
    (tmp_path / "policy.toml").write_text(said.replace("domain-crash", "domain-crashed"))
    assert "down: no known" not in run(policy.COMMAND, "check").stderr


def test_a_former_id_of_a_failure_is_taken_and_the_present_one_is_told(run, tmp_path):
    (tmp_path / "policy.toml").write_text(POLICY.replace("guest-down", "domain-paused-long"))
    said = run(policy.COMMAND, "check").stderr
    assert "down: the diagnosis domain-paused-long is now called domain-paused" in said
    assert "down: no known" not in said


RULE = """
[[rule]]
name = "new"
max_risk = "L3"
[rule.when]
{when}
[rule.scope]
selector = "{selector}"
"""


@pytest.mark.parametrize(
    ("when", "selector", "ladder", "said"),
    [
        (
            'diagnosis = "lvm-vg-full"',
            "host:xen1",
            'action = "lv_extend"\nparams = { by = "1GiB", max = "4GiB" }',
            "lv_extend can never happen: it acts on a lv or a thinpool, and what is waited for is about a vg",
        ),
        (
            'class = "domain-crashed"',
            "host:xen1",
            'action = "notify"',
            "what it waits for is about a domain, which no selector of it selects; write tag:…, name:… or uuid:…",
        ),
        (
            'diagnosis = "lvm-thin-pool-full"',
            "host:xen1",
            'action = "lv_extend"',
            "lv_extend can never happen: it needs the parameter by",
        ),
        (
            'diagnosis = "xend-died"',
            "host:xen9",
            'action = "notify"',
            "host:xen9 selects nothing: this host is called xen1",
        ),
        (
            'diagnosis = "xend-died"',
            "host:xen1",
            'action = "restart_service"\nparams = { unit = "xenstored" }',
            "restart_service can never happen: xenstored is never restarted",
        ),
    ],
)
def test_what_can_never_happen_is_pointed_out(run, tmp_path, when, selector, ladder, said):
    rule = RULE.format(when=when, selector=selector) + "[[rule.ladder]]\n" + ladder
    (tmp_path / "policy.toml").write_text(POLICY.partition("[[rule]]")[0] + rule)
    assert said in run(policy.COMMAND, "check").stderr


def test_what_can_happen_is_not_pointed_out(run, tmp_path):
    rule = RULE.format(when='diagnosis = "lvm-thin-pool-full"', selector="host:xen1")
    ladder = '[[rule.ladder]]\naction = "lv_extend"\nparams = { by = "1GiB", max = "4GiB" }\n'
    (tmp_path / "policy.toml").write_text(POLICY.partition("[[rule]]")[0] + rule + ladder)
    assert run(policy.COMMAND, "check").stderr == ""


def test_a_service_that_this_host_does_not_have_is_pointed_out(run, tmp_path):
    rule = RULE.format(when='diagnosis = "xend-died"', selector="host:xen1")
    ladder = '[[rule.ladder]]\naction = "restart_service"\nparams = { unit = "xend" }\n'
    (tmp_path / "policy.toml").write_text(POLICY.partition("[[rule]]")[0] + rule + ladder)
    assert "restart_service can never happen on this host" in run(policy.COMMAND, "check").stderr


def test_the_shipped_policy_waits_for_known_failures_only(run, tmp_path):
    shipped = Path(__file__).parents[3] / "packaging/policy.toml"
    (tmp_path / "policy.toml").write_text(shipped.read_text())
    assert run(policy.COMMAND, "check").stderr == ""


def test_a_policy_is_tried_on_an_incident_and_nothing_is_written(run, tmp_path):
    subject = {"kind": "domain", "name": "web", "uuid": None}
    (tmp_path / "i.json").write_text(json.dumps({"incident": {"rule": "guest-down", "id": "i-1", "subject": subject}}))
    result = run(policy.COMMAND, "test", "--incident", str(tmp_path / "i.json"))
    assert "guest-down of domain/web" in result.output
    assert "stopped by precondition" in result.output
    with sqlite3.connect(tmp_path / "state" / "remediation.db") as db:
        assert db.execute("SELECT count(*) FROM run").fetchone() == (0,)
    db.close()


def test_what_is_no_incident_is_said_in_words(run, tmp_path):
    (tmp_path / "i.json").write_text("[]")
    assert "not an incident" in str(run(policy.COMMAND, "test", "--incident", str(tmp_path / "i.json")).exception)


def test_the_kill_switch_stands_in_the_audit_with_who_and_why(run):
    assert run(remediation.COMMAND, "off", "--reason", "drill").output == "remediation is off\n"
    assert "human:ann  drill" in run(audit.COMMAND).output
    verified = run(audit.COMMAND, "verify").output
    assert verified.startswith("complete: 1 entry\nhead: 1:")
    assert "Not proven: root of this host can write a whole record" in verified


def test_a_head_noted_elsewhere_shows_a_record_that_is_another_one(run):
    run(remediation.COMMAND, "off", "--reason", "drill")
    head = run(audit.COMMAND, "verify").output.split("head: ")[1].split()[0]
    assert run(audit.COMMAND, "verify", "--head", head).exit_code == 0
    forged = run(audit.COMMAND, "verify", "--head", "1:" + "0" * 64)
    assert (forged.exit_code, forged.output) == (1, "entry 1 had another hash: this is another record\n")
    cut = run(audit.COMMAND, "verify", "--head", "7:" + "0" * 64)
    assert (cut.exit_code, cut.output) == (1, "entries after 1 are missing: there was an entry 7 once\n")
    line = json.loads(run(audit.COMMAND, "--format", "json").output)
    assert (line["kind"], line["facts"]) == ("switch", {"off": True})
    assert run(remediation.COMMAND, "on", "--reason", "done").exit_code == 0


def test_a_journal_somebody_changed_is_found(run, tmp_path):
    run(remediation.COMMAND, "off", "--reason", "drill")
    with sqlite3.connect(tmp_path / "state" / "remediation.db") as db:
        db.executescript("DROP TRIGGER entry_is_kept; UPDATE entry SET reason='nothing'")
    db.close()
    result = run(audit.COMMAND, "verify")
    assert result.exit_code == 1
    assert "entry 1 was changed" in result.stderr


def test_an_action_is_asked_for_approved_and_listed(run):
    asked = run(remediation.COMMAND, "run", "host_cordon", "host")
    assert "install -D -m 644 /dev/null /var/lib/xenwatch-effects/cordoned" in asked.output
    listed = run(remediation.COMMAND, "list").output
    assert "host_cordon on host/xen1  L1  awaiting_approval  waits for a person" in listed
    approved = CliRunner().invoke(remediation.COMMAND, ["approve", listed.split()[0]], input="y\n")
    assert "approved: " in approved.output
    assert "approved" in run(remediation.COMMAND, "show", listed.split()[0]).output
    assert run(remediation.COMMAND, "reject", listed.split()[0], "--reason", "no").exit_code == 0
    assert run(remediation.COMMAND, "list").output == "Nothing is proposed or in progress.\n"
    assert "rejected" in run(remediation.COMMAND, "list", "--all").output


def test_programs_read_runs_and_their_journal_as_json(run):
    run(remediation.COMMAND, "run", "host_cordon", "host")
    [listed] = json.loads(run(remediation.COMMAND, "list", "--format", "json").output)["runs"]
    assert (listed["action"], listed["target"], listed["state"]) == ("host_cordon", "host/xen1", "awaiting_approval")
    assert listed["plan"] == ["install -D -m 644 /dev/null /var/lib/xenwatch-effects/cordoned"]
    shown = json.loads(run(remediation.COMMAND, "show", listed["id"], "--format", "json").output)
    assert shown["run"] == listed
    assert [entry["new"] for entry in shown["journal"]] == ["proposed", "awaiting_approval"]


def test_a_dry_run_prints_plan_and_guard_and_leaves_no_run(run):
    run(remediation.COMMAND, "off", "--reason", "drill")
    result = run(remediation.COMMAND, "run", "host_cordon", "host", "--dry-run")
    assert "stopped by switch: turned off by human:ann: drill" in result.output
    assert run(remediation.COMMAND, "list").output == "Nothing is proposed or in progress.\n"


def test_what_cannot_be_done_is_said_in_words(run):
    assert "there is no record of remediation yet" in str(run(audit.COMMAND, "verify").exception)
    assert "no action 'shell'" in str(run(remediation.COMMAND, "run", "shell", "host").exception)
    assert "is not a guest of the policy" in str(run(remediation.COMMAND, "run", "domain_start", "mail").exception)
    assert "no run has an id that begins like this" in str(run(remediation.COMMAND, "show", "zzz").exception)


def test_maintenance_begins_and_ends(run):
    assert run(remediation.COMMAND, "maintenance", "all", "--for", "2h", "--reason", "disks").exit_code == 0
    assert run(remediation.COMMAND, "maintenance", "all", "--for", "0s", "--reason", "done").exit_code == 0
    assert "maintenance may last" in str(
        run(remediation.COMMAND, "maintenance", "all", "--for", "90d", "--reason", "disks").exception
    )
    assert run(remediation.COMMAND, "close-breaker", "--reason", "understood").exit_code == 0


def test_preflight_of_a_create_is_a_table_and_an_exit_code(run, tmp_path):
    config = tmp_path / "g.cfg"
    config.write_text("name = 'g'\nmemory = 64\ndisk = ['phy:/dev/none,xvda,w']\n")
    result = run(preflight.COMMAND, "create", str(config))
    assert result.exit_code == 1
    assert "P15 disk present  fail" in result.output


def test_preflight_for_programs_names_each_check_with_its_outcome(run, tmp_path):
    config = tmp_path / "g.cfg"
    config.write_text("name = 'g'\nmemory = 64\ndisk = ['phy:/dev/none,xvda,w']\n")
    result = run(preflight.COMMAND, "create", str(config), "--format", "json")
    said = json.loads(result.output)
    assert (result.exit_code, said["outcome"]) == (1, "fail")
    assert {f["check"]: f["outcome"] for f in said["findings"]}["P15 disk present"] == "fail"


def test_preflight_of_a_stranger_is_refused(run):
    assert "has no [[guest]] with the name mail" in str(run(preflight.COMMAND, "migrate", "mail", "xen2").exception)


def test_every_word_has_help_with_an_example():
    for word in (audit, policy, preflight, remediation):
        text = CliRunner().invoke(word.COMMAND, ["--help"]).output
        assert "Example" in text
        assert f"xenwatch {Path(word.__file__).stem}" in text


def test_the_connection_to_libvirt_is_the_one_that_is_configured(run, monkeypatch):
    asked = []

    class Recorded(Libvirt):
        def __init__(self, uri, clock):
            asked.append(uri)
            super().__init__(uri, clock)

    monkeypatch.setattr("xenwatch.cli._remediation.Libvirt", Recorded)
    monkeypatch.setenv("XENWATCH_SAMPLING_LIBVIRT_URI", "test:///default")
    run(remediation.COMMAND, "list")
    monkeypatch.setenv("XENWATCH_SAMPLING_LIBVIRT_URI", "")
    assert run(remediation.COMMAND, "list").exit_code == 0
    assert asked == ["test:///default"]
