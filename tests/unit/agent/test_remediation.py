"""Remediation inside the agent, and its file of secrets."""

import hashlib
from pathlib import Path

import pytest
from story import Story

from xenwatch.agent.remediation import RemediationController, open_remediation
from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import ConfigError
from xenwatch.config.access import Access, load_access
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.notify.webhooks import Destination
from xenwatch.remediation.machine.apart import EffectsSocket
from xenwatch.web.auth import User, user_of_token

SECRET = "0123456789abcdef"


def incident(story: Story, name: str = "web", state: str = "open") -> Incident:
    guest = next(g for g in story.service.policy.inventory.guests if g.name == name)
    told = Diagnosis("guest-down", "", guest.subject, "error", "t", "s", "c", 1.0)
    return Incident(f"i-{name}", told, state, 1.0, 1.0)  # type: ignore[arg-type]


async def test_an_incident_of_the_agent_becomes_a_verified_repair_and_figures(tmp_path):
    story = Story(tmp_path, {})
    remedy = RemediationController(story.service, Access(), story.clock)
    remedy.changed([incident(story)])
    await remedy.round(story.service)
    await story.service.idle()
    await remedy.round(story.service)
    assert story.world.running("web") == 1
    assert remedy.figures is not None
    assert remedy.figures.runs == {("domain_start", "succeeded"): 1}
    await remedy.stop()


async def test_many_guests_that_fail_at_once_are_a_storm(tmp_path):
    story = Story(tmp_path, {"settings": {"storm": {"min_count": 2}}})
    remedy = RemediationController(story.service, Access(), story.clock)
    remedy.changed([incident(story), incident(story, "db")])
    await remedy.round(story.service)
    await story.service.idle()
    assert story.world.effects == []
    remedy.changed([incident(story, state="resolved"), incident(story, "db", "resolved")])
    story.clock.advance(400)
    await remedy.round(story.service)
    story.clock.advance(1000)
    await remedy.round(story.service)
    assert remedy.figures is not None
    assert not remedy.figures.storm_active
    await remedy.stop()


async def test_what_runs_and_is_served_follows_from_what_is_configured(tmp_path):
    story = Story(tmp_path, {})
    told = Access(destinations=(Destination("http://10.0.0.9/", b"key"),))
    assert set(RemediationController(story.service, told, story.clock).parts()) == {"remediation", "webhooks"}
    assert set(RemediationController(story.service, Access(), story.clock).parts()) == {"remediation"}
    assert "/hooks/alertmanager" in [
        route.path for route in RemediationController(story.service, Access(), story.clock).hook_routes()
    ]
    story.service.close()


async def test_without_a_policy_there_is_no_remediation(tmp_path):
    remedy = open_remediation(tmp_path / "policy.toml", Access(), tmp_path, ManualClock(), "test:///default")
    assert (remedy.parts(), remedy.routes()) == ({}, [])
    await remedy.stop()


async def test_i12_with_a_damaged_run_store_the_agent_goes_on_without_remediation(tmp_path):
    (tmp_path / "policy.toml").write_text("")
    (tmp_path / "remediation.db").write_bytes(b"not a database at all" * 500)
    remedy = open_remediation(tmp_path / "policy.toml", Access(), tmp_path, ManualClock(), "test:///default")
    assert remedy.parts() == {}
    await remedy.stop()


async def test_the_policy_is_read_once_at_the_start_and_once_at_a_reload(tmp_path, monkeypatch):
    path, reads = tmp_path / "policy.toml", []
    path.write_text("")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: reads.append(self) or read(self))
    remedy = open_remediation(path, Access(), tmp_path, ManualClock(), "test:///default", guarded=False)
    assert reads.count(path) == 1
    remedy.reload(path, tmp_path)
    assert reads.count(path) == 2
    await remedy.stop()


async def test_a_policy_with_a_mistake_is_an_error(tmp_path):
    (tmp_path / "policy.toml").write_text("surprise = 1")
    with pytest.raises(ConfigError):
        open_remediation(tmp_path / "policy.toml", Access(), tmp_path, ManualClock(), "test:///default")


async def test_a_guest_that_no_action_can_name_does_not_keep_the_agent_from_starting(tmp_path, caplog):
    (tmp_path / "policy.toml").write_text("[[guest]]\nname = 'web;reboot'\nuuid = '11'\n")
    remedy = open_remediation(tmp_path / "policy.toml", Access(), tmp_path, ManualClock(), "test:///default")
    assert remedy.service is not None
    assert remedy.service.policy.inventory.guests == ()
    assert "policy.toml:2: guest[0].name" in caplog.text
    await remedy.stop()


async def test_without_the_effects_helper_it_observes_and_says_so_once_until_it_is_there(tmp_path, caplog):
    story, path = Story(tmp_path, {}), tmp_path / "effects.sock"
    remedy = RemediationController(story.service, Access(), story.clock, effects=EffectsSocket(path))
    for _ in range(3):
        await remedy.round(story.service)
        story.clock.advance(61.0)
    assert "the effects helper does not answer, so nothing is repaired" in remedy.effects.trouble
    assert caplog.text.count("remediation only observes") == 1
    await remedy.stop()


def access(tmp_path, text: str, mode: int = 0o600) -> Access:
    path = tmp_path / "access.toml"
    path.write_text(text)
    path.chmod(mode)
    return load_access(path)


def test_secrets_are_read(tmp_path):
    text = f"""
[hooks]
bearer = ["{SECRET}"]
keys = ["{SECRET}"]
[[person]]
name = "ann"
role = "approver"
token = "{SECRET}"
[[destination]]
url = "https://ops.example/hook"
key = "{SECRET}"
"""
    found = access(tmp_path, text)
    assert found.senders.bearer == (SECRET,)
    assert found.users == (User("ann", "approver", SECRET),)
    assert found.destinations == (Destination("https://ops.example/hook", SECRET.encode()),)


def test_of_a_token_its_digest_is_enough_and_the_digest_is_no_token(tmp_path):
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    text = f"[[person]]\nname = 'ann'\nrole = 'approver'\ntoken_sha256 = '{digest.upper()}'"
    users = access(tmp_path, text).users
    assert user_of_token(SECRET.encode(), users) == users[0]
    assert user_of_token(digest.encode(), users) is None
    assert user_of_token(b"", users) is None


def test_without_a_file_nobody_may_do_anything(tmp_path):
    assert load_access(tmp_path / "access.toml") == Access()


@pytest.mark.parametrize("mode", [0o644, 0o602, 0o660])
def test_secrets_that_others_may_read_or_change_are_refused(tmp_path, mode):
    with pytest.raises(ConfigError, match="chmod 640"):
        access(tmp_path, "", mode)


@pytest.mark.parametrize(
    "text",
    [
        "[hooks]\nbearer = ['short']",
        "[[person]]\nname = 'x'\ntoken = 'x'",
        "[[person]]\nname = 'x'\ntoken_sha256 = 'abc'",
        f"[[person]]\nname = 'x'\ntoken = '{SECRET}'\ntoken_sha256 = '{'0' * 64}'",
        "[[destination]]\nurl = 'file:///x'",
        "x = 1",
        "[",
    ],
)
def test_mistakes_in_the_secrets_are_errors(tmp_path, text):
    with pytest.raises(ConfigError):
        access(tmp_path, text)
