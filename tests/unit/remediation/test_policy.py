"""The policy file: every key is checked, and each mistake names its line."""

from pathlib import Path

import pytest
from story import CATALOGUE

from xenwatch.base.errors import ConfigError
from xenwatch.remediation.open import policy_in_force, read_policy
from xenwatch.remediation.policy.loader import load_policy, parse_policy
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.registry import load_catalogue, risks

ROOT = Path(__file__).parents[3]
RULE = """
[[rule]]
name = "r"
max_risk = "L2"
[rule.when]
diagnosis = "x"
[[rule.ladder]]
action = "domain_start"
"""
HOST = "[[host]]\nname = 'xen2'\naddress = 'xen2'\n"


def parse(text: str) -> Policy:
    return parse_policy(text, Path("policy.toml"), risks(CATALOGUE))


def test_the_shipped_example_is_sound_and_only_observes():
    policy = load_policy(ROOT / "packaging" / "policy.toml", risks(CATALOGUE))
    assert policy.mode == "observe"
    assert {policy.effective(rule) for rule in policy.rules} == {"observe"}


def test_the_example_is_sound_with_every_line_in_force():
    text = (ROOT / "packaging" / "policy.toml").read_text()
    lines = [
        line[1:] if line.startswith("#") and ("=" in line or "[[" in line or "[limits" in line) else line
        for line in text.splitlines()
    ]
    assert len(parse("\n".join(lines)).inventory.guests) == 1


def test_an_empty_file_is_the_most_cautious_policy():
    policy = parse("")
    assert (policy.mode, policy.rules, policy.breaker_after) == ("observe", (), 3)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[remediation]\nmod = 'auto'", 2, "is not known here"),
        ("[remediation]\nmode = 'on'", 2, "must be one of observe, propose, auto"),
        ("[limits.guest]\nwindow = '6'", 2, "is not a duration"),
        ("[limits.class.L9]\nmax_actions = 1", 1, "is not a known class"),
        ("[limits.action.shell]\nmax_actions = 1", 1, "is not a known action"),
        ("[storm]\nmax_unhealthy = '130%'", 2, "is not a share"),
        ("[breaker]\nopen_after = 0", 2, "at least 1"),
        ("[breaker]\nopen_after = true", 2, "whole number"),
        ("[[guest]]\nname = 'web'", 2, "needs a name and a uuid"),
        ("[[guest]]\nname = 'web'\nuuid = 'u'\nplacement = ['xen9']", 4, "without a [[host]]: xen9"),
        (RULE + "[[rule.ladder]]\naction = 'rm'", 10, "not in the catalogue"),
        (HOST + 'power = ["ipmitool", "-P", "x"]', 4, "no fence agent"),
        (HOST + 'power = ["fence_ipmilan", "--password=x"]', 4, "--password-script=FILE"),
        (HOST + 'power = ["fence_ipmilan", "--ip=10.0.0.1", "--action=on"]', 4, "no --action"),
        (RULE + "[[rule.ladder]]\naction = 'domain_destroy'", 7, "above max_risk L2"),
        (RULE + "[rule.scope]\nselector = 'everything'", 10, "write it like tag:web"),
        (
            RULE.replace("[[rule]]\n", "[[rule]]\nblocked_by = ['storage']\n", 1),
            3,
            "write alert:…, diagnosis:… or class:…",
        ),
        (RULE.replace("diagnosis = 'x'", "").replace('diagnosis = "x"', ""), 5, "name a diagnosis"),
        (RULE + RULE, 2, "two rules have the same name"),
        ("surprise = 1", 1, "is not known here"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_line(text, line, words):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert any(words in problem.message for problem in caught.value.problems), caught.value.problems
    assert line in [problem.line for problem in caught.value.problems]


UNUSABLE = (
    "-rf", "--", "-", "web;reboot", "web reboot", "web\\treboot", "web\\nreboot", "a&b", "a|b", "a>b", "a<b", "$(id)",
    "`id`", "${IFS}", "*", "we?b", "[a-z]", "{a,b}", "~root", "#web", "!web", "web'", 'we\\"b', "w\\\\b", "/etc/passwd",
    "../web", "..", ".", ".hidden", "web/../db", "a/b", "a,b", "a=b", "a%b", "a^b", "(web)", "wéb", "web\\u202e",
    "\\u0000", "\\u001b[31m", "w" * 256,
)  # fmt: skip
"""As TOML text: what a shell, a program or a terminal could take for something else than a name."""


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_guest_name_that_no_action_takes_is_refused_where_it_is_written(name):
    with pytest.raises(ConfigError) as caught:
        parse(f'[[guest]]\nuuid = "u"\nname = "{name}"')
    problem = caught.value.problems[0]
    assert (problem.file, problem.line, problem.key) == (Path("policy.toml"), 3, "guest[0].name")
    assert "cannot be used as a domain's name" in problem.message


@pytest.mark.parametrize("name", ["web", "web-1", "web_1.example", "db:a+b@c", "W"])
def test_a_guest_name_that_every_action_takes_is_accepted(name):
    assert parse(f'[[guest]]\nuuid = "u"\nname = "{name}"').inventory.guests[0].name == name


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("[[guest]]\nname = 'web'\nuuid = '-u'", 3, "guest[0].uuid"),
        ("[[guest]]\nname = 'web'\nuuid = 'u'\nconfig = 'web.cfg'", 4, "guest[0].config"),
        ("[[guest]]\nname = 'web'\nuuid = 'u'\nconfig = '/etc/../web.cfg'", 4, "guest[0].config"),
        ("[[host]]\nname = 'xen2'\naddress = '-oProxyCommand=x'", 3, "host[0].address"),
        ("[[host]]\nname = 'xen 2'\naddress = 'xen2'", 2, "host[0].name"),
        ("[remediation]\nservices = ['cron', '--now']", 2, "remediation.services"),
        ("[remediation]\ncore_dump_dir = 'dumps'", 2, "remediation.core_dump_dir"),
    ],
)
def test_whatever_else_an_order_would_refuse_is_refused_where_it_is_written(text, line, key):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [(line, key)]


def test_all_mistakes_are_shown_together():
    with pytest.raises(ConfigError) as caught:
        parse("[remediation]\nmode = 'x'\nfoo = 1\n[breaker]\nbar = 2")
    assert len(caught.value.problems) == 3


def test_what_is_no_toml_is_an_error():
    with pytest.raises(ConfigError, match="is not TOML"):
        parse("[remediation")


def test_another_text_is_another_policy():
    assert parse("").hash != parse("# a remark").hash


def test_every_action_says_how_it_is_taken_back_and_none_is_called_otherwise_than_its_file():
    catalogue = load_catalogue()
    assert len(catalogue) == 28
    assert all(action.undo and action.title and action.kinds for action in catalogue.values())


GUESTS = """
[[guest]]
name = "web"
uuid = "11111111-1111-1111-1111-111111111111"
[[guest]]
name = "{name}"
uuid = "22222222-2222-2222-2222-222222222222"
placement = ["nowhere"]
"""


@pytest.mark.parametrize("name", ["-rf", "web;reboot", "../x", "a b"])
def test_for_the_agent_a_guest_with_a_mistake_is_set_aside_and_said_and_the_others_stay(tmp_path, name, caplog):
    path = tmp_path / "policy.toml"
    path.write_text(GUESTS.format(name=name))
    with pytest.raises(ConfigError):
        read_policy(path)
    policy = policy_in_force(path)
    assert [guest.name for guest in policy.inventory.guests] == ["web"]
    assert f"{path}:6: guest[1].name: {name!r} cannot be used as a domain's name" in caplog.text
    assert "nothing is ever done to this guest" in caplog.text


def test_any_other_mistake_still_stops_it(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(GUESTS.format(name="-rf") + "[remediation]\nmode = 'everything'")
    with pytest.raises(ConfigError, match=r"remediation\.mode") as caught:
        policy_in_force(path)
    assert len(caught.value.problems) == 1
