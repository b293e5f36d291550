"""The example configuration file and the manual's table of settings, made from the declarations."""

import inspect
import textwrap
from pathlib import Path

from xenwatch.config.loader import variable
from xenwatch.config.sections import DEFAULT_FILE, SECTIONS
from xenwatch.config.settings import settings_of

_WIDTH = 100


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
        for key, declared in settings_of(section).items():
            comment = textwrap.wrap(f"{declared.help} ({declared.kind.name})", _WIDTH - 2)
            parts += ["", *(f"# {line}" for line in comment), f"#{key} = {declared.kind.show(declared.default)}"]
    return "\n".join(parts) + "\n"


def manual() -> str:
    """docs/configuration.md."""
    parts = [_INTRODUCTION]
    for name, section in SECTIONS.items():
        parts += [
            f"\n## `[{name}]`\n",
            f"{inspect.getdoc(section)}\n",
            "| Key | Kind | Default | What it does |",
            "|---|---|---|---|",
        ]
        for key, declared in settings_of(section).items():
            default = declared.kind.show(declared.default).replace("|", "\\|")
            parts.append(
                f"| `{key}` | {declared.kind.name} | `{default}` | {declared.help} `{variable(f'{name}.{key}')}` |"
            )
    return "\n".join(parts) + "\n"


_INTRODUCTION = f"""# Configuration

<!-- Generated from xenwatch/config/sections.py by `python -m xenwatch.config.reference`; a test keeps it current. -->

xenwatch runs without a configuration. To change a setting, write `{DEFAULT_FILE}` (TOML), or name another file with
`--config` or in `XENWATCH_CONFIG`. The variable in the row of a key overrides it in the environment; lists are
separated by commas there. `xenwatch check` prints every value in force and where it came from, and tests what it
names. `packaging/xenwatch.toml` is the same reference as a commented file to start from.

Durations are written `250ms`, `30s`, `5m`, `1h30m`, `90d`; sizes `64KiB`, `1MiB`.

A mistake is an error that names file, line and key; all mistakes are shown together. A running agent reads the file
again on SIGHUP (`systemctl reload xenwatch`). If there is a mistake in it, the agent logs the mistake, keeps the old
settings, and sets `xenwatch_config_last_reload_successful` to 0. Changes of `[agent] state_dir`, `[web]` and `[hooks]`
need a restart. Certificates and keys are read again whenever their files change."""


def write(root: Path) -> None:
    """Write both below `root`, the checkout."""
    (root / "packaging" / "xenwatch.toml").write_text(example_file())
    (root / "docs" / "configuration.md").write_text(manual())


if __name__ == "__main__":
    write(Path.cwd())
