"""What the configuration says of listeners: who is kept out, which settings belong together, and what `auto` needs."""

from pathlib import Path

import pytest

from xenwatch.base.errors import ConfigError
from xenwatch.config.listeners import guarded, refuse_open_auto
from xenwatch.config.loader import load_config
from xenwatch.config.sections import WebSettings
from xenwatch.remediation.open import read_policy


def policy(folder: Path, mode: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(f'# ours\n[remediation]\nhost = "dom0"\nmode = "{mode}"\n')
    return path


@pytest.mark.parametrize(
    ("settings", "yes"),
    [
        (WebSettings(), True),
        (WebSettings(listen=("0.0.0.0", 1)), False),
        (WebSettings(listen=("0.0.0.0", 1), log_in="token"), False),
        (WebSettings(listen=("0.0.0.0", 1), tls_certificate=Path("c")), False),
        (WebSettings(listen=("0.0.0.0", 1), tls_certificate=Path("c"), log_in="token"), True),
        (WebSettings(listen=("0.0.0.0", 1), tls_certificate=Path("c"), tls_client_auth="require"), True),
    ],
)
def test_strangers_are_kept_out_by_the_loopback_certificates_or_tokens_that_nobody_overhears(settings, yes: bool):
    assert guarded(settings) is yes


def test_automatic_remediation_beside_an_open_api_is_refused_with_file_line_and_key(tmp_path: Path):
    path = policy(tmp_path, "auto")
    with pytest.raises(ConfigError, match=r"policy\.toml:4: remediation\.mode: auto is refused"):
        refuse_open_auto(read_policy(path), path, guarded=False)
    refuse_open_auto(read_policy(path), path, guarded=True)
    path = policy(tmp_path, "propose")
    refuse_open_auto(read_policy(path), path, guarded=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[web]\ntls_certificate = "/c"\n', "x.toml:2: web.tls_certificate: needs [web] tls_key"),
        ('[web]\ntls_key = "/k"\n', "x.toml:2: web.tls_key: needs [web] tls_certificate"),
        ('[web]\n\ntls_client_auth = "require"\n', "x.toml:3: web.tls_client_auth: needs [web] tls_client_ca"),
        ('[web]\ntls_certificate="/c"\ntls_key="/k"\ntls_client_ca="/a"\n', "x.toml:4: web.tls_client_ca: asks nobody"),
        ('[hooks]\ntls_certificate="/c"\ntls_key="/k"\n', "x.toml:2: hooks.tls_certificate: needs [hooks] listen"),
        ('[hooks]\nlisten = "127.0.0.1:10197"\n', "x.toml:2: hooks.listen: is that of [web]"),
        ("[web]\nmost_connections = 0\n", "x.toml:2: web.most_connections: 0 must be a whole number of at least 1"),
    ],
)
def test_settings_that_make_no_sense_together_are_said_with_file_line_and_key(tmp_path: Path, text: str, message: str):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert message in str(caught.value)


def test_settings_that_belong_together_are_taken_wherever_each_was_written(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text('[web]\ntls_certificate = "/c"\ntls_client_auth = "require"\n')
    found = load_config(path, {"XENWATCH_WEB_TLS_KEY": "/k", "XENWATCH_WEB_TLS_CLIENT_CA": "/a"}).config.web
    assert (found.tls_key, found.tls_client_ca) == (Path("/k"), Path("/a"))
