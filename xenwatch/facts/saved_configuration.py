"""Which files of what people collect hold configuration, or say how the host is set up."""

import re

from xenwatch.facts import config_guest, config_network, config_system, config_xen, standing
from xenwatch.facts.config_boot import boot_entries, kernel_command_line
from xenwatch.facts.config_guest import PATHS_HEADING
from xenwatch.facts.configuration import CONFIGURATION_TELLS
from xenwatch.facts.reader import command_output, configuration_file

_NOT_IN_USE = "|".join(map(re.escape, config_guest.NOT_IN_USE))
_NAMED_GUEST = r"^\s*name\s*=\s*[\"'][^\"'\n]+[\"']\s*(?:[;#].*)?$"

_OF_TOOLSTACKS = "xend. xl."
"""Who takes along the configuration of one toolstack takes along that of the other, where there is one."""

_DOMAIN_XML = r"\A(?:\s|<[!?][^>]*>)*<domain\b"

CONFIGURATION_READERS = (
    configuration_file(
        "autostart", "(?!)", r"/xen/auto/[^/]+$", _NAMED_GUEST, config_guest.autostart_config, tells="guest."
    ),
    configuration_file(
        "guest configuration",
        r"(?!.*example).+_(?:cfg|hvm|pv)",  # a copy has another ending behind it
        rf"/etc/xen/(?!.*(?:{_NOT_IN_USE}))[^/]+$",
        _NAMED_GUEST,
        config_guest.guest_config,
        tells="guest.",
    ),
    configuration_file(
        "autostart of libvirt",
        "(?!)",
        r"/libxl/autostart/[^/]+$",
        _DOMAIN_XML,
        config_guest.autostart_xml,
        tells="guest.",
    ),
    configuration_file("guest definition", ".+_xml", "", _DOMAIN_XML, config_guest.guest_xml, tells="guest."),
    configuration_file(
        "xend-config.sxp", "xend_config_sxp", "", r"^\s*\([a-z][\w-]+", config_xen.xend_config, tells=_OF_TOOLSTACKS
    ),
    configuration_file("xl.conf", "xl_conf", "", r"^\s*#?\s*[\w.]+\s*=", config_xen.xl_conf, tells=_OF_TOOLSTACKS),
    configuration_file(
        "ls /etc/xen/auto",
        r"(?:ls_l?_?)?etc_xen_auto",
        "",
        r" -> |^total ",
        config_xen.autostart_links,
        tells="autostart.",
    ),
    configuration_file(
        "guest_files.txt of xenwatch collect",
        "guest_files",
        "",
        re.escape(PATHS_HEADING),
        config_guest.listed_paths,
        tells=" ".join(CONFIGURATION_TELLS),
    ),
    configuration_file(
        "/proc/cmdline",
        "(?:cat_)?(?:proc_)?cmdline",
        "",
        r"\A[^\n]*\b(?:root|BOOT_IMAGE)=",
        kernel_command_line,
        tells="kernel.command_line",
    ),
    configuration_file(
        "boot menu",
        "grub2?_cfg|grub_conf|menu_lst",
        "",
        r"^\s*(?:multiboot2?|kernel|linux)\s",
        boot_entries,
        tells="boot.",
    ),
    configuration_file(
        "/etc/fstab",
        "(?:cat_)?(?:etc_)?fstab",
        "",
        r"^[^#\s]\S*\s+\S+\s+\w+\s+\S+",
        config_system.fstab,
        tells="fstab.",
    ),
    configuration_file(
        "/etc/exports", "(?:cat_)?(?:etc_)?exports", "", r"^/\S*\s+\S*\(", config_system.exports, tells="nfs."
    ),
    configuration_file(
        "sysctl", "sysctl(?:_a)?", "", r"^net\.\S+ = \d", config_system.printed_sysctls, tells="sysctl."
    ),
    configuration_file(
        "systemctl list-unit-files",
        r"systemctl\w*",
        "",
        r"^[\w@:.\\-]+\.service\s+(?:enabled|disabled|static)",
        config_system.unit_files,
        tells="units.",
    ),
    configuration_file(
        "systemctl list-units",
        r"systemctl\w*",
        "",
        r"^\W*[\w@:.\\-]+\.service\s+(?:loaded|not-found|masked|error|bad-setting)\s",
        config_system.units,
        tells="unit.",
    ),
    configuration_file(
        "/etc/network/interfaces",
        "(?:etc_)?(?:network_)?interfaces",
        "",
        r"^\s*iface\s+\S+\s+inet6?\s",
        config_network.interfaces,
        tells="bridge.configured",
    ),
    configuration_file("ifcfg", r"ifcfg_\w+", "", r"^DEVICE=", config_network.ifcfg, tells="bridge.configured"),
    configuration_file(
        "smartctl -H",
        r"smartctl\w*",
        "",
        r"^SMART (?:overall-health|Health Status)",
        config_system.smart,
        tells="smart.",
    ),
)

STATE_READERS = (
    configuration_file(
        "chkconfig --list", r"chkconfig\w*", "", r"^\S+\s+0:\w+\s+1:", config_system.runlevels, tells="units."
    ),
    command_output(
        "timedatectl",
        "timedatectl",
        r"^\s*(?:System clock|NTP) synchronized:",
        standing.timedatectl,
        tells="clock.",
        by_content=False,
    ),
    command_output(
        "chronyc tracking",
        "chronyc_tracking",
        r"^Leap status",
        standing.chrony_tracking,
        tells="clock.",
        by_content=False,
    ),
    command_output(
        "xen-livepatch list",
        "xen_livepatch(?:_list)?",
        r"^ ID +\| status +\| metadata|^Nothing to list|^Failed to get list sizes",
        standing.livepatches,
        tells="livepatch.",
        by_content=False,
    ),
    command_output("ntpq -p", "ntpq(?:_pn?)?", r"^\s*remote\s+refid\s", standing.ntpq_peers, tells="clock."),
)
