"""What a component can print, read out of a tiny source tree, and what xenwatch answers to it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "packaging/coverage"
sys.path.insert(0, str(TOOL))

from component import tree_at
from components import libxl
from page import Row, merged, row
from python_source import read as read_python
from shell_source import read as read_shell
from values import fill

sys.path.remove(str(TOOL))
LIBXL = r"""
/* LOG(ERROR, "in a comment"); */
#define DEVICE "device %s"
static int add_vif(libxl__gc *gc, uint32_t domid,
                   const char *script)
{
    if (rc) {
        LOGED(ERROR, domid, "Could not find bridge "
              DEVICE " of %"PRIu32, bridge, count);
    }
    LOG(DEBUG, "all is well with %s", script);
    LOGD(WARN, domid, "%s is \"slow\"", script);
    return 0;
}
"""
LIBXC = 'int f(void)\n{\n    PERROR("Could not get info of domain %d", domid);\n    return -1;\n}\n'
PYTHON = """
class X:
    def start(self):
        # raise VmError("commented out")
        if bad:
            raise VmError("Device %s could not be connected: %s" % (dev, err) + why)
        log.warn("is slow: %s", what)
        raise Refused, "the old way"
        return VmError("built, not raised")
"""
SHELL = """
do_it() {
  fatal "Could not find bridge device $bridge"
  log debug "fine"
  echo "$dev is gone" >&2
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "xen/Makefile": "export XEN_VERSION       = 4\nexport XEN_SUBVERSION    = 99\n",
        "tools/libs/light/libxl_nic.c": LIBXL,
        "tools/libs/ctrl/xc_x.c": LIBXC,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_message_of_c_is_read_with_its_function_its_severity_and_what_fills_it(tree: Path):
    found = libxl.COMPONENT.messages(tree_at(tree))
    assert [(m.function, m.severity, m.format, m.args) for m in found] == [
        ("add_vif", "error", "Could not find bridge device %s of %u", ("bridge", "count")),
        ("add_vif", "warning", '%s is "slow"', ("script",)),
    ]


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ("4.99", "libxl: error: libxl_nic.c:8:add_vif: Domain 7:Could not find bridge device xenbr1 of 4096: Invalid"),
        ("4.1", "libxl: error: libxl_nic.c:8:add_vif Domain 7:Could not find bridge device xenbr1 of 4096: Invalid"),
    ],
)
def test_it_becomes_the_line_that_this_release_prints(tree: Path, release: str, line: str):
    at = tree_at(tree, release)
    message = libxl.COMPONENT.messages(at)[0]
    assert libxl.COMPONENT.line(message, fill(message.format, message.args), at).text == f"{line} argument"


def test_python_of_any_age_is_read_without_being_compiled():
    assert [(m.call, m.severity, m.format, m.args) for m in read_python("x.py", PYTHON)] == [
        ("warn", "warning", "is slow: %s", ("what",)),
        ("VmError", "error", "Device %s could not be connected: %s%s", ("dev", "err", "why")),
        ("Refused", "error", "the old way", ()),
    ]


def test_a_script_s_variables_are_what_fills_its_messages():
    found = list(read_shell("vif-bridge", SHELL))
    assert [(m.call, m.function, fill(m.format, m.args)) for m in found] == [
        ("fatal", "do_it", "Could not find bridge device xenbr1"),
        ("echo", "do_it", "xvda is gone"),
    ]


@pytest.mark.parametrize(
    ("format_", "args", "text"),
    [
        ("%04x:%02x:%02x.%u", ("pci->domain_nr", "pci->bus", "dev", "func"), "0000:03:05.0"),
        ("%pp of %pd", ("&sbdf", "d"), "0000:03:00.0 of d7"),
        ("%s: %s (%d%%)", ("__func__", "strerror(errno)", "share"), "here: Invalid argument (5%)"),
        ("cannot open %s", ("x",), "cannot open /var/lib/xen/web.img"),
        ("%-*s|%.*s", ("width", "name", "len", "disk"), "web|xvda"),
        ("%pd: bad mfn %#lx", ("d", "mfn"), "d7: bad mfn 0x12345"),
        ("raid1:%s: failure on %pg (0x%x)", ("mdname(mddev)", "rdev->bdev", "ret"), "raid1:md0: failure on sdb1 (0x5)"),
        ("table: %s: %s", ("dm_device_name(md)", "x"), "table: 253:4: foo"),
    ],
)  # fmt: skip
def test_values_are_of_the_kind_that_the_argument_or_the_word_before_speaks_of(
    format_: str, args: tuple[str, ...], text: str
):
    assert fill(format_, args, "here") == text


def test_the_rows_of_one_release_are_replaced_and_all_others_stay():
    before = merged("", [Row("xl", "4.4", 9, 0.5, 0.5, 0.5), Row("xl", "4.22", 9, 0.5, 0.5, 0.5)])
    after = merged(before, [row("xl", "4.22", ["named", "specific", "general", "unknown"])])
    assert after.splitlines()[-2:] == [
        "| xl | 4.4 | 9 | 0.50 | 0.50 | 0.50 |",
        "| xl | 4.22 | 4 | 0.75 | 0.50 | 0.25 |",
    ]


def test_a_share_just_below_a_bar_is_not_rounded_up_to_it():
    assert row("xl", "4.4", [*["named"] * 979, *["unknown"] * 21]).known == 0.97


def test_the_whole_tree_is_asked_by_one_command_which_also_says_what_is_new(tree: Path, tmp_path: Path):
    old = tmp_path / "old"
    (old / "tools/libs/ctrl").mkdir(parents=True)
    (old / "tools/libs/ctrl/xc_x.c").write_text(LIBXC)
    told = _run(str(tree), "--show").splitlines()
    assert [line.split(" | ")[:3] for line in told if line.startswith("|")] == [
        ["| libxc", "4.99", "1"],
        ["| libxl", "4.99", "2"],
    ]
    new = _run(str(tree), "--new", str(old))
    assert "| libxl | 4.99 | 2 |" in new
    assert "libxc" not in new


def test_each_message_that_is_not_counted_has_a_reason():
    for file in (TOOL / "not_counted").glob("*.yaml"):
        told = yaml.safe_load(file.read_text())
        assert all(one["message"] and len(one["reason"]) > 20 for one in told), file.name
        assert len({one["message"] for one in told}) == len(told), file.name


def _run(*arguments: str) -> str:
    command = [sys.executable, str(TOOL / "measure.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
