"""Pools of XCP-ng and XenServer: hosts, high availability, and which repository is slow and who hammers it."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTES, COUNT, EACH_SECOND, SECONDS, SHARE, YES_NO, lines, number, states, table
from dashboards.lib.queries import host, rate, top

_READ = rate(host("xen_domain_vbd_read_bytes_total", pool="!="))
_WRITTEN = rate(host("xen_domain_vbd_written_bytes_total", pool="!="))
_VBD_BYTES = f"({_READ} + {_WRITTEN})"
_RECEIVED, _SENT = (rate(host(f"xen_host_interface_{way}_bytes_total")) for way in ("receive", "transmit"))
_BEHIND = f"* on (instance, pool, domain, device) group_left (sr) {host('xen_domain_vbd_vdi_info')}"

DASHBOARD = dashboard(
    "pools",
    "Pools",
    "Pools that are watched through their own API.",
    {
        "Now": [
            number(
                "Pools that do not answer",
                "Their numbers stand still: runbook XenPoolUnreachable.",
                COUNT,
                f"sum({host('xen_pool_up')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Hosts lost",
                "Their guests may still run: runbook XenPoolHostLost.",
                COUNT,
                f"sum({host('xen_host_live')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Hosts in maintenance",
                "They take no guests.",
                COUNT,
                f"sum({host('xen_host_enabled')} == bool 0)",
            ),
            number(
                "Pools without a plan",
                "High availability cannot do what it is set up for: runbook XenPoolHaPlanMissing.",
                COUNT,
                f"count({host('xen_pool_ha_plan_exists_for')} < {host('xen_pool_ha_host_failures_to_tolerate')})",
                bad_from=1,
            ),
            number(
                "Fullest repository",
                "At 100 % thin disks stop: runbook XenSrFull.",
                SHARE,
                f"max({host('sr:xen_sr_used:ratio')})",
                bad_from=0.9,
            ),
            number(
                "Repositories that a host lacks",
                "Runbook XenSrDetached.",
                COUNT,
                f"sum({host('xen_sr_attached')} == bool 0)",
                bad_from=1,
            ),
        ],
        "Hosts": [
            lines(
                "Cpu",
                "Above 90 % for long: runbook XenPoolHostBusy.",
                SHARE,
                (host("xen_host_cpu_usage_ratio"), "{{pool}} {{host}}"),
                most=1,
            ),
            lines(
                "Memory in use",
                "What is left decides whether the loss of a host can be borne.",
                SHARE,
                (host("host:xen_host_memory_used:ratio"), "{{pool}} {{host}}"),
                most=1,
            ),
            lines(
                "Network",
                "All physical interfaces of a host together, both ways.",
                EACH_SECOND,
                (f"sum by (pool, host) ({_RECEIVED} + {_SENT})", "{{pool}} {{host}}"),
            ),
            lines("Power", "Of hosts with DCMI, in watts.", COUNT, (host("xen_host_power_watts"), "{{pool}} {{host}}")),
            states(
                "Hosts",
                "Coloured: in maintenance or lost.",
                (f"{host('xen_host_enabled')} == bool 0", "{{host}} disabled"),
                (f"{host('xen_host_live')} == bool 0", "{{host}} lost"),
            ),
            table(
                "Versions",
                "All hosts of a pool should have one.",
                COUNT,
                (host("xen_host_info"), "there"),
            ),
        ],
        "Which repository is slow": [
            lines(
                "Latency",
                "Above 0.1 s guests feel it: runbook XenSrSlow. On one host: its path; on all: the server.",
                SECONDS,
                (host("xen_sr_latency_seconds", direction="!=any"), "{{sr}} {{direction}} on {{host}}"),
            ),
            lines(
                "Requests that wait",
                "Climbing with latency: the repository is at its limit.",
                COUNT,
                (host("xen_sr_queue_requests"), "{{sr}} on {{host}}"),
            ),
            lines(
                "Throughput",
                "By host and repository.",
                EACH_SECOND,
                (host("sr_host:xen_sr_bytes:rate5m"), "{{sr}} from {{host}}"),
            ),
            lines(
                "Who hammers it",
                "The ten guests with most traffic, and the repository that it goes to.",
                EACH_SECOND,
                (top(f"sum by (pool, domain, sr) ({_VBD_BYTES} {_BEHIND})"), "{{domain}} → {{sr}}"),
            ),
            lines(
                "Slowest disks",
                "The ten guests that wait longest.",
                SECONDS,
                (top(host("xen_domain_vbd_latency_seconds", direction="!=any")), "{{domain}} {{device}} {{direction}}"),
            ),
            lines(
                "Attached",
                "Zero: the host lacks it; runbook XenSrDetached.",
                YES_NO,
                (host("xen_sr_attached"), "{{sr}} on {{host}}"),
                most=1,
            ),
        ],
        "Space": [
            lines("Used", "Above 90 %: runbook XenSrFilling.", SHARE, (host("sr:xen_sr_used:ratio"), "{{sr}}"), most=1),
            lines(
                "Promised",
                "What the disks may take at most, beside what there is.",
                BYTES,
                (host("xen_sr_virtual_allocation_bytes"), "{{sr}} promised"),
                (host("xen_sr_size_bytes"), "{{sr}} there"),
            ),
            lines(
                "Longest chain",
                "Near 30 snapshots fail: runbook XenSrChainLong.",
                COUNT,
                (host("xen_sr_longest_chain"), "{{sr}}"),
            ),
            lines(
                "To be merged",
                "Above zero for a day: runbook XenSrCoalesceBehind.",
                COUNT,
                (host("xen_sr_vdis_to_coalesce"), "{{sr}}"),
            ),
        ],
        "High availability and tasks": [
            lines(
                "Failures",
                "Planned for must not be below to be survived: runbook XenPoolHaPlanMissing.",
                COUNT,
                (host("xen_pool_ha_host_failures_to_tolerate"), "{{pool}} to be survived"),
                (host("xen_pool_ha_plan_exists_for"), "{{pool}} planned for"),
            ),
            lines("Tasks", "Of xapi, by status.", COUNT, (host("xen_pool_tasks"), "{{pool}} {{status}}")),
            lines(
                "Sessions",
                "Climbing without end: a client never logs out.",
                COUNT,
                (host("xen_pool_sessions"), "{{pool}}"),
            ),
        ],
    },
)
