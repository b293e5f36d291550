"""A pasted line is read as standard input is: the rules that match it, and the incident; else what it looks like."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from xenwatch.base.errors import InputError
from xenwatch.cli.main import cli

BRIDGE = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7"


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def explain(*words: str, **options: object) -> Result:
    return CliRunner().invoke(cli, ["explain", *words], **options)  # type: ignore[arg-type]


def test_a_line_that_a_rule_matches_is_explained_in_full():
    result = explain(BRIDGE)
    assert result.exit_code == 0
    assert "rules match it:" in result.stdout
    assert "vif-bridge-missing: A guest's network interface names a bridge" in result.stdout
    assert "ip link add xenbr7 type bridge" in result.stdout


def test_text_from_standard_input_is_explained_alike():
    assert explain(input=f"{BRIDGE}\n").stdout == explain(BRIDGE).stdout == explain("-", input=BRIDGE).stdout


def test_it_says_what_diagnose_says_of_the_same_text():
    piped = CliRunner().invoke(cli, ["diagnose", "-q", "-"], input=f"{BRIDGE}\n").stdout
    cause = piped[piped.index("  cause") : piped.index("  consequences")]
    assert cause in explain(BRIDGE).stdout


def test_an_error_that_no_rule_knows_is_shown_as_one():
    result = explain("foobar: error: cannot frobnicate the whatsit: Permission denied")
    assert result.exit_code == 1
    assert result.stdout.startswith("No rule knows it.\n")
    assert "an error line that no rule matches: foobar: error: cannot frobnicate" in " ".join(result.stdout.split())


def test_a_line_without_a_failure_is_not_made_one():
    result = explain("all is well with the guest")
    assert result.exit_code == 1
    assert "nothing in it says that something failed" in result.stdout
    assert "error line" not in result.stdout


def test_nothing_to_explain_says_what_to_type():
    result = explain(input=" \n")
    assert isinstance(result.exception, InputError)
    assert "xenwatch explain 'the line'" in str(result.exception)


def test_an_own_rule_is_asked_too(tmp_path: Path):
    (tmp_path / "frobnicator-broken.yaml").write_text(
        "id: frobnicator-broken\ntitle: The frobnicator is broken\nclass: unknown\nseverity: error\ndepth: cause\n"
        "signatures:\n  - regex: 'cannot frobnicate the (?P<thing>\\w+)'\ncause: It broke.\nimpact: None.\n"
        'remedy: ["Repair it."]\n'
    )
    result = explain("--rules", str(tmp_path), "foobar: error: cannot frobnicate the whatsit")
    assert "frobnicator-broken" in result.stdout


def test_what_a_guest_wrote_drives_no_terminal():
    assert "\x1b" not in explain(f"{BRIDGE} \x1b[2J").stdout + explain("error: cannot \x1b]0;x\x07 do it").stdout


def test_programs_get_the_document_of_diagnose_and_the_rules_that_match():
    document = json.loads(explain("--format", "json", BRIDGE).stdout)
    assert document["incidents"][0]["class"] == "vif-bridge-missing"
    assert "vif-bridge-missing" in [rule["id"] for rule in document["rules"]]
    assert json.loads(explain("--format", "json", "hello").stdout)["rules"] == []
