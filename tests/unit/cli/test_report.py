"""The report in each format: the cause first, nothing a guest wrote does harm, nothing found is said honestly."""

import html
import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from xenwatch.base.printed_text import printable
from xenwatch.cli.main import cli
from xenwatch.cli.report.format import excerpt, failure_link, failure_page

BRIDGE = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device {}\n"
HOSTILE = [
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "```\n# owned\n[click](javascript:alert(1)) @admin <!-- ",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred\r\n",
    "\u202eowned\u2066 \x00 \x9b31m",
    "{{ 7*7 }} {% raw %} {bridge} %s %n",
    "</pre></style></script><style>*{display:none}</style>",
    "A" * 200_000,
]
FORMATS = ("text", "html", "markdown", "json")


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("NO_COLOR", raising=False)
        yield


def diagnose(*words: str, **options: object) -> Result:
    said = CliRunner().invoke(cli, ["diagnose", "-q", *words], **options)  # type: ignore[arg-type]
    assert said.exit_code in (0, 1), said.output
    return said


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "xl-web.log"
    path.write_text(BRIDGE.format("xenbr7"))
    return path


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Hostile words where a guest or whoever sends a bundle can write: in records, beside a failure, in names."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    lines = [BRIDGE.format("xenbr7").rstrip("\n") + f" {words}\n" for words in HOSTILE]
    lines += [f"libxl: error: something nobody knows: {words}\n" for words in HOSTILE]
    (folder / "xl-web.log").write_text("".join(lines))
    (folder / "<img src=x onerror=owned>`# x`.log").write_text(BRIDGE.format("xenbr8"))
    (folder / "two\nlines \x1b[2J.log").write_text(BRIDGE.format("xenbr9"))
    return folder


class Page(html.parser.HTMLParser):
    """What elements and attributes a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_sends_nothing_to_a_terminal(hostile: Path, form: str):
    said = diagnose("--format", form, str(hostile)).stdout
    assert "xenbr7" in said
    plain = json.dumps(json.loads(said)) if form == "json" else said  # JSON's readers get what stands in the log
    assert not [c for c in plain if not c.isprintable() and c not in "\n\t"]
    assert len(said) < 1_500_000


def test_hostile_text_is_no_element_of_the_page(hostile: Path):
    page = Page(diagnose("--format", "html", str(hostile)).stdout)
    assert page.elements.count("script") == 1
    assert page.elements.count("style") == 1
    assert "img" not in page.elements
    assert not {name for name in page.attributes if name.startswith("on")}
    assert "<script>document.title" in page.text


def test_the_page_loads_nothing_and_runs_only_its_own_script(log: Path):
    text = diagnose("--format", "html", str(log)).stdout
    assert "default-src 'none'" in text
    assert re.search(r"script-src 'sha256-[\w+/=]{44}'", text)
    assert not re.search(r"(?:src|href)=[\"']https?:", text)
    assert "@import" not in text


def test_hostile_text_cannot_leave_its_place_in_markdown(hostile: Path):
    lines = diagnose("--format", "markdown", str(hostile)).stdout.splitlines()
    fence, outside = "", []
    for line in lines:
        marks = re.match(r"`{3,}", line)
        if not fence and marks:
            fence = marks[0]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert not fence
    text = "\n".join(outside)
    assert "# owned" not in outside
    assert "<img" not in re.sub(r"(`+) ?.+? ?\1(?!`)", "", text)
    assert "@admin" not in re.sub(r"(`+) ?.+? ?\1(?!`)", "", text)


@pytest.mark.parametrize("width", [30, 60, 100, 300])
def test_nothing_but_commands_and_names_is_wider_than_the_terminal(hostile: Path, width: int):
    said = diagnose(str(hostile), env={"COLUMNS": str(width)}).stdout
    room = max(width, 30 + 16)  # what is left for words beside the labels has a floor
    prose = [
        line for line in said.splitlines() if re.match(r"\s+(?:subject|cause|impact|consequences|not checked)  ", line)
    ]
    assert prose
    assert all(len(line) <= room for line in prose)


def test_a_long_line_shows_the_part_that_was_recognised(tmp_path: Path):
    (tmp_path / "xl-web.log").write_text(
        "libxl: error: " + "x" * 3000 + " Could not find bridge device xenbr7" + " y" * 900 + "\n"
    )
    said = diagnose(str(tmp_path)).stdout
    assert "Could not find bridge device xenbr7" in " ".join(said.split())
    assert "x" * 300 not in said


def test_colour_is_for_terminals_and_a_variable_takes_it_out(log: Path):
    assert "\x1b[" in diagnose(str(log), color=True).stdout
    assert "\x1b[" not in diagnose(str(log)).stdout
    assert "\x1b[" not in diagnose(str(log), color=True, env={"NO_COLOR": "1"}).stdout


def test_nothing_found_says_what_was_read_and_what_was_not(tmp_path: Path):
    (tmp_path / "xl-web.log").write_text("Waiting for domain web (domid 3) to die [pid 4711]\n")
    (tmp_path / "empty.log").write_text("")
    said = diagnose(str(tmp_path))
    assert said.exit_code == 0
    assert said.stdout.startswith("Nothing wrong found")
    assert "Read 1 file" in said.stdout
    assert "empty.log: empty" in said.stdout


def test_of_many_causes_the_first_are_shown_in_full_and_the_rest_on_a_line_each(tmp_path: Path):
    for number in range(30):
        (tmp_path / f"xl-guest{number}.log").write_text(BRIDGE.format(f"xenbr{number}"))
    said = diagnose(str(tmp_path)).stdout
    assert len(re.findall(r"^  cause  ", said, re.MULTILINE)) == 8
    assert "And 22 more root causes" in said
    assert said.count("guest29") == 1 or "domain/guest29" in said


def test_names_of_any_script_survive(tmp_path: Path):
    (tmp_path / "xl-bäckup-ホスト.log").write_text(BRIDGE.format("xenbr7"))
    for form in FORMATS:
        assert "xl-bäckup-ホスト.log" in diagnose("--format", form, str(tmp_path)).stdout


def test_each_incident_names_its_page_and_links_to_it_where_pages_are_published(
    log: Path, monkeypatch: pytest.MonkeyPatch
):
    assert "docs/failures/vif-bridge-missing.md" in diagnose(str(log), env={"COLUMNS": "300"}).stdout
    monkeypatch.setenv("XENWATCH_FAILURE_PAGES", "https://example.org/failures/")
    link = "https://example.org/failures/vif-bridge-missing.md"
    assert failure_link("vif-bridge-missing") == link
    assert f'href="{link}"' in diagnose("--format", "html", str(log)).stdout
    assert f"({link})" in diagnose("--format", "markdown", str(log)).stdout


def test_a_rule_of_an_operators_own_has_no_page_and_a_folder_is_no_link(monkeypatch: pytest.MonkeyPatch):
    assert failure_page("their-own-rule") is None
    monkeypatch.setenv("XENWATCH_FAILURE_PAGES", "javascript:alert(1)//")
    assert failure_link("vif-bridge-missing") is None


def test_what_was_over_long_before_the_end_is_left_out_when_asked(tmp_path: Path):
    (tmp_path / "syslog").write_text(
        "2026-03-01T10:00:00+00:00 dom0 root: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr7\n"
        "2026-03-05T10:00:00+00:00 dom0 lvm[7]: Insufficient free extents (66) in volume group tank: 128 required\n"
    )
    assert "xenbr7" in diagnose(str(tmp_path)).stdout
    said = diagnose("--since", "1d", str(tmp_path)).stdout
    assert "tank" in said
    assert "xenbr7" not in said
    assert "1 older incident left out" in said


def test_live_works_without_xen_and_says_what_is_not_known(tmp_path: Path, log: Path):
    config = tmp_path / "xenwatch.toml"
    config.write_text(
        f'[logs]\npaths = ["{tmp_path}/*.log"]\n[sampling]\nlibvirt_uri = "xen+unix:///?socket=/nowhere"\n'
    )
    said = diagnose("--live", "--config", str(config))
    assert said.exit_code == 1
    assert "vif-bridge-missing" in said.stdout
    assert "not known: collectors" in said.stdout
    assert "one look cannot show" in " ".join(said.stdout.split())


def test_live_on_a_machine_that_is_no_dom0_does_not_say_that_all_is_well(tmp_path: Path):
    config = tmp_path / "xenwatch.toml"
    config.write_text(f'[logs]\npaths = ["{tmp_path}/*.none"]\n[sampling]\nlibvirt_uri = ""\n')
    said = CliRunner().invoke(cli, ["diagnose", "-q", "--live", "--config", str(config), "--since", "all"])
    assert "not a dom0" in str(said.exception)


def test_live_sees_domains_through_libvirts_test_driver(tmp_path: Path):
    config = tmp_path / "xenwatch.toml"
    config.write_text(f'[logs]\npaths = ["{tmp_path}/*.log"]\n[sampling]\nlibvirt_uri = "test:///default"\n')
    said = " ".join(diagnose("--live", "--config", str(config)).stdout.split())
    assert "domain list" in said
    assert "collectors domain" not in said


def test_control_characters_are_shown_and_an_excerpt_keeps_to_its_size():
    assert printable("a\x1b[2J\u202eb") == "a\\x1b[2J\\x202eb"
    line = "x" * 500 + " needle " + "y" * 500
    assert "needle" in excerpt(line, ["needle"], 100)
    assert len(excerpt(line, ["needle"], 100)) <= 100
    assert excerpt("short", ["needle"], 100) == "short"


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000", "--dump-dom",
)  # fmt: skip


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_in_a_browser_hostile_text_does_not_run_and_our_own_script_does(hostile: Path, tmp_path: Path):
    page = tmp_path / "report.html"
    assert diagnose("--format", "html", "-o", str(page), str(hostile)).exit_code == 1
    argv = [str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path}/profile", page.as_uri()]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=110, check=False).stdout
    assert "<title>xenwatch diagnose</title>" in said
    assert re.search(r'<html [^>]*class="scripted"', said)
    assert "<img" not in said


def test_markdown_begins_with_where_when_and_how_it_was_made(log: Path):
    head = diagnose(str(log), "--format", "markdown").stdout.split("## ", 1)[0]
    assert "- Host: not named in what was read" in head
    assert "- Made: " in head
    assert "- Command: xenwatch diagnose -q " in head or "- Command: xenwatch " in head
    assert f"- Inputs: {log.parent}" in head.replace("\\", "")


@pytest.fixture
def oops(tmp_path: Path) -> Path:
    path = tmp_path / "kern.log"
    path.write_text("[    0.000000] Hypervisor detected: Xen HVM\n[    9.000000] BUG: unable to handle page fault\n")
    return path


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_whose_kernel_wrote_a_log_is_told_with_the_line_that_shows_it(oops: Path, form: str):
    shown = re.sub(r"\s+", " ", html.unescape(diagnose(str(oops), "--format", form).stdout.replace("\\", "")))
    assert 'the kernel of a guest, by "[ 0.000000] Hypervisor detected: Xen HVM"' in shown


def test_programs_get_all_that_shows_whose_kernel_it_is(oops: Path, log: Path):
    (read,) = json.loads(diagnose(str(oops), "--format", "json").stdout)["files"]
    assert read["kernels"] == [
        {"role": "guest", "host": None, "evidence": ["[    0.000000] Hypervisor detected: Xen HVM"]}
    ]
    assert "kernels" not in json.loads(diagnose(str(log), "--format", "json").stdout)["files"][0]
