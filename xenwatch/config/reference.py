"""The example configuration file and the manual's table of settings, made from the declarations."""

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

from xenwatch.config.loader import variable
from xenwatch.config.sections import DEFAULT_FILE, SECTIONS, TABLES
from xenwatch.config.settings import settings_of

_WIDTH = 100
_TABLE_HEAD = ("| Key | Kind | Default | What it does |", "|---|---|---|---|")


def example_file() -> str:
    """The fully commented xenwatch.toml: every key at its default, commented out."""
    parts = [
        f"# xenwatch's configuration: {DEFAULT_FILE}",
        "#",
        "# Every key is shown with its default. To change one, remove the # before it, then run: xenwatch check",
        "# Each key can also be set in the environment: [web] listen is XENWATCH_WEB_LISTEN.",
    ]
    for name, section in SECTIONS.items():
        parts += ["", f"# {inspect.getdoc(section)}", f"[{name}]"]
        parts += _commented(section)
    for name, table in TABLES.items():
        parts += ["", f"# {inspect.getdoc(table)}", f"#[{name}.NAME]"]
        parts += _commented(table)
    return "\n".join(parts) + "\n"


def _commented(section: type) -> Iterator[str]:
    for key, declared in settings_of(section).items():
        comment = textwrap.wrap(f"{declared.help} ({declared.kind.name})", _WIDTH - 2)
        yield from ("", *(f"# {line}" for line in comment), f"#{key} = {declared.kind.show(declared.default)}")


def manual() -> str:
    """docs/configuration.md."""
    parts = [_INTRODUCTION]
    for name, section in SECTIONS.items():
        parts += [
            f"\n## `[{name}]`\n",
            f"{inspect.getdoc(section)}\n",
            *_TABLE_HEAD,
        ]
        parts += _rows(section, name)
    for name, table in TABLES.items():
        parts += [f"\n## `[{name}.NAME]`\n", f"{inspect.getdoc(table)}\n", *_TABLE_HEAD]
        parts += _rows(table)
    return "\n".join(parts) + "\n"


def _rows(section: type, name: str = "") -> Iterator[str]:
    """Of the table; `name` is the section's, where the environment may set its keys."""
    for key, declared in settings_of(section).items():
        default = declared.kind.show(declared.default).replace("|", "\\|")
        help_ = declared.help + (f" `{variable(f'{name}.{key}')}`" if name else "")
        yield f"| `{key}` | {declared.kind.name} | `{default}` | {help_} |"


_INTRODUCTION = f"""# Configuration

<!-- Generated from xenwatch/config/sections.py by `python -m xenwatch.config.reference`; a test keeps it current. -->

xenwatch runs without a configuration. To change a setting, write `{DEFAULT_FILE}` (TOML), or name another file with
`--config` or in `XENWATCH_CONFIG`. The variable in the row of a key overrides it in the environment; lists are
separated by commas there. `xenwatch check` prints every value in force and where it came from, and tests what it
names. `packaging/xenwatch.toml` is the same reference as a commented file to start from.

A path may be `credential:NAME`: the credential of this name that systemd gives the service, so that a secret is
readable by the agent alone and can be encrypted (`systemd-creds`). The unit then has `LoadCredential=NAME:PATH` or
`LoadCredentialEncrypted=NAME:PATH`, by `systemctl edit xenwatch`.

Durations are written `250ms`, `30s`, `5m`, `1h30m`, `90d`; sizes `64KiB`, `1MiB`.

A mistake is an error that names file, line and key; all mistakes are shown together. A running agent reads the file
again on SIGHUP (`systemctl reload xenwatch`). If there is a mistake in it, the agent logs the mistake, keeps the old
settings, and sets `xenwatch_config_last_reload_successful` to 0. Changes of `[agent] state_dir`, `[web]`, `[hooks]`
and `[xapi.NAME]` need a restart. Certificates and keys are read again whenever their files change."""


def write(root: Path) -> None:
    """Write both below `root`, the checkout."""
    (root / "packaging" / "xenwatch.toml").write_text(example_file())
    (root / "docs" / "configuration.md").write_text(manual())


if __name__ == "__main__":
    write(Path.cwd())
