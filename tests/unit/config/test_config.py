import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenwatch.base.errors import ConfigError, Problem
from xenwatch.base.toml_tables import key_lines
from xenwatch.config.loader import all_settings, load_config, variable
from xenwatch.config.notify import NotifySettings
from xenwatch.config.reference import example_file, manual
from xenwatch.config.sections import Config
from xenwatch.config.xapi import XapiSettings

LISTEN_EXAMPLES = '"127.0.0.1:10197" or "[::1]:10197"'
ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "xenwatch.toml"
    path.write_text(text)
    return path


def problems(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text), environment)
    return [str(one).replace(str(tmp_path) + "/", "") for one in caught.value.problems]


def test_without_a_file_everything_is_at_its_default():
    loaded = load_config(environment={})
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}


def test_values_and_their_places_come_from_the_file(tmp_path: Path):
    path = written(tmp_path, '# mine\n[web]\nlisten = "[::1]:9"\n\n[logs]\nreconcile_every = "1m30s"\n')
    loaded = load_config(path)
    assert loaded.config.web.listen == ("::1", 9)
    assert loaded.config.logs.reconcile_every == 90.0
    assert loaded.origins["web.listen"] == f"{path}:3"
    assert loaded.origins["logs.reconcile_every"] == f"{path}:6"
    assert loaded.origins["web.largest_request"] == "default"


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path):
    path = written(tmp_path, '[web]\nlisten = "127.0.0.1:1"\n[logs]\npaths = ["/a"]\n')
    given_ = {"XENWATCH_WEB_LISTEN": "127.0.0.1:2", "XENWATCH_LOGS_PATHS": "/b, /c/*.log", "PATH": "/bin"}
    loaded = load_config(path, given_, {"web.listen": ("127.0.0.1", 3)})
    assert loaded.config.web.listen == ("127.0.0.1", 3)
    assert loaded.config.logs.paths == ("/b", "/c/*.log")
    assert loaded.origins["web.listen"] == "command line"
    assert loaded.origins["logs.paths"] == "environment XENWATCH_LOGS_PATHS"


def test_the_file_can_be_named_in_the_environment(tmp_path: Path):
    path = written(tmp_path, "[logs]\nfrom_start = true\n")
    assert load_config(environment={"XENWATCH_CONFIG": str(path)}).config.logs.from_start


def test_all_mistakes_are_said_at_once_each_with_line_and_key_and_a_suggestion(tmp_path: Path):
    text = (
        '[web]\nlistn = "x"\nlisten = "localhost"\n[smapling]\n[sampling]\nlibvirt_uri = 30\ndisabled = "lvm"\n[logs]\n'
    )
    text += "reconcile_every = 30\n"
    text += 'from_start = "yes"\n[agent]\nlog_level = "loud"\nstate_dir = 3\nkeep_incidents = "3 days"\n'
    assert problems(tmp_path, text, {"XENWATCH_LOGS_FROM_START": "perhaps", "XENWATCH_WEB_LISTN": "1"}) == [
        "xenwatch.toml:2: web.listn: no such key; did you mean listen?",
        "xenwatch.toml:3: web.listen: 'localhost' must be an address and a port, like " + LISTEN_EXAMPLES,
        "xenwatch.toml:4: smapling: no such section; did you mean sampling?",
        'xenwatch.toml:6: sampling.libvirt_uri: 30 must be text in quotes: "30"',
        'xenwatch.toml:7: sampling.disabled: must be a list: ["lvm"]',
        'xenwatch.toml:9: logs.reconcile_every: 30 has no unit; write "30s" or "30m"',
        "xenwatch.toml:10: logs.from_start: 'yes' must be true or false",
        "xenwatch.toml:12: agent.log_level: 'loud' must be one of debug, info, warning, error",
        'xenwatch.toml:13: agent.state_dir: 3 must be text in quotes: "3"',
        "xenwatch.toml:14: agent.keep_incidents: '3 days' is not a duration; write it like 30s, 5m, 1h30m or 250ms",
        "environment: XENWATCH_LOGS_FROM_START: 'perhaps' must be true or false",
        "environment: XENWATCH_WEB_LISTN: no such variable; did you mean XENWATCH_WEB_LISTEN?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[web\n", "xenwatch.toml:1: is not TOML"),
        ('\n\n[web]\nlisten = "unclosed\n', "xenwatch.toml:4: is not TOML"),
        ("web = 3\n", "xenwatch.toml:1: web: is a section: write [web] on its own line"),
        ("[[web]]\n", "xenwatch.toml:1: web: is a section"),
        ("[nothing_like_it]\n", "no such section; there are: agent, logs"),
    ],
)
def test_a_file_of_the_wrong_shape_is_said_with_its_line(tmp_path: Path, text: str, message: str):
    assert message in problems(tmp_path, text)[0]


def test_a_file_that_was_asked_for_and_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_an_error_with_its_line(tmp_path: Path):
    (tmp_path / "x.toml").write_bytes(b"[web]\n# \xff\n")
    with pytest.raises(ConfigError, match=r"x\.toml:2: is not UTF-8"):
        load_config(tmp_path / "x.toml")


def test_a_variable_of_ours_that_is_no_setting_is_left_to_whoever_set_it():
    assert load_config(environment={"XENWATCH_PYTHON": "3.11"}).config == Config()


def test_every_default_survives_being_written_and_read():
    for key, declared in all_settings():
        shown = tomllib.loads(f"x = {declared.kind.show(declared.default)}")["x"]
        assert declared.kind.read(shown) == declared.default, key


def test_the_example_file_is_current_and_changes_nothing(tmp_path: Path):
    path = ROOT / "packaging" / "xenwatch.toml"
    assert path.read_text() == example_file()
    assert load_config(path).config == Config()


def test_each_key_of_the_example_can_be_uncommented(tmp_path: Path):
    lines = example_file().partition("\n#[notify.NAME]")[0].splitlines()  # there are as many of these as one likes
    text = "\n".join(line[1:] if line.startswith("#") and " = " in line.split("(")[0] else line for line in lines)
    loaded = load_config(written(tmp_path, text))
    assert loaded.config == Config()
    assert "default" not in loaded.origins.values()


def test_each_key_of_a_table_of_the_example_can_be_uncommented(tmp_path: Path):
    lines = example_file().partition("\n#[notify.NAME]")[2].partition("\n#[xapi.NAME]")[0].splitlines()
    keys = [line[1:] for line in lines if line.startswith("#") and " = " in line.split("(")[0]]
    text = "\n".join(["[notify.mail]", *keys]).replace('url = ""', 'url = "ntfy://host/topic"')
    assert load_config(written(tmp_path, text)).config.notify == {"mail": NotifySettings(url="ntfy://host/topic")}


def test_each_key_of_a_pool_of_the_example_can_be_uncommented(tmp_path: Path):
    lines = example_file().partition("\n#[xapi.NAME]")[2].splitlines()
    keys = "\n".join(["", *(line[1:] for line in lines if line.startswith("#") and " = " in line.split("(")[0])])
    given = {"urls": ("https://xcp1",), "user": "monitor", "password_file": Path("/etc/xenwatch/secrets/prod")}
    for key, old, new in (
        ("urls", "[]", '["https://xcp1"]'),
        ("user", '""', '"monitor"'),
        ("password_file", '""', '"/etc/xenwatch/secrets/prod"'),
    ):
        assert f"\n{key} = {old}" in keys
        keys = keys.replace(f"\n{key} = {old}", f"\n{key} = {new}")
    assert load_config(written(tmp_path, f"[xapi.prod]{keys}")).config.xapi == {"prod": XapiSettings(**given)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", r"xapi\.prod: names no host: write urls"),
        ('urls = ["http://xcp1"]', r"xapi\.prod\.urls: http://xcp1 must be https://"),
        ('urls = ["https://root:secret@xcp1"]', "without a user or a path"),
        ('fingerprints = ["ab:cd"]', "must be a SHA-256 fingerprint of 64 hexadecimal digits"),
        ('every = "1s"', "must be at least 5s"),
        ('password = "x"', "did you mean password_file"),
    ],
)
def test_a_pool_that_cannot_be_asked_is_a_mistake(tmp_path: Path, line: str, message: str):
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, f"[xapi.prod]\n{line}\n"))


def test_the_manual_is_current():
    assert (ROOT / "docs" / "configuration.md").read_text() == manual()


def test_each_setting_is_explained_in_a_sentence():
    for key, declared in all_settings():
        assert declared.help[0].isupper(), key
        assert variable(key) in manual()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = [\n 1,\n 2,\n]\nb = 1\n", {"a": 1, "b": 5}),
        ('x.y = """\n[not.a.table]\nkey = 1\n"""\nz = 2', {"x": 1, "x.y": 1, "z": 5}),
        ('[t."odd.name"] # with a comment\nk = {a = 1}\n', {"t.odd.name": 1, "t.odd.name.k": 2, "t.odd.name.k.a": 2}),
        ("[a]\r\nb = 1\r\n", {"a": 1, "a.b": 2}),
    ],
)
def test_the_line_of_a_key_is_found(text: str, lines: dict[str, int]):
    assert key_lines(text) == lines


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([key for key, _ in all_settings()]))
def test_any_text_for_any_setting_is_taken_or_is_one_clear_problem(text: str, key: str):
    found: tuple[Problem, ...] = ()
    try:
        load_config(environment={variable(key): text})
    except ConfigError as error:
        found = error.problems
    assert all(p.key == variable(key) and p.message for p in found)


def test_tables_of_notifications_are_read_each_under_its_name(tmp_path: Path):
    file = tmp_path / "xenwatch.toml"
    file.write_text(
        '[notify.mail]\nurl_file = "/etc/xenwatch/secrets/mail"\nseverity = "warning"\nrepeat_every = "1h"\n'
        '[notify.pager]\nprogram = ["/usr/local/bin/page"]\nquiet = "22:00-07:00"\n'
    )
    notify = load_config(file).config.notify
    assert list(notify) == ["mail", "pager"]
    assert (notify["mail"].severity, notify["mail"].repeat_every) == ("warning", 3600.0)
    assert notify["pager"].program == ("/usr/local/bin/page",)
    assert load_config(None, {}, default_file=None).config.notify == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[notify.mail]\n", r":1: notify\.mail: names no receiver"),
        ('[notify.mail]\nurl = "ntfy://x/y"\nseverty = "error"\n', r":3: .*did you mean severity"),
        ('[notify.mail]\nurl = "ntfy://x/y"\nquiet = "at night"\n', r":3: notify\.mail\.quiet: .*two times of the day"),
        ('[notify.mail]\nwebhook = "ftp://x"\n', r"must begin with http"),
        ('[notify.mail]\nurl = "ntfy://x/y"\ntoken_file = "/x"\n', r"token_file: is for webhook"),
        ('[notify]\nmail = "me"\n', r"notify\.mail: is no table: write \[notify\.NAME\]"),
    ],
)
def test_a_mistake_in_a_table_of_notifications_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    file = tmp_path / "xenwatch.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file)
