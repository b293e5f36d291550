"""What hosts are steered by: xenstore, libvirt, the daemons; and the agent that watches them."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTES, COUNT, EACH_SECOND, SECONDS, YES_NO, lines, number, table
from dashboards.lib.queries import host, rate, top

DASHBOARD = dashboard(
    "control-plane",
    "Control plane",
    "xenstore, libvirt, daemons, and the agent. Guests run on while these fail.",
    {
        "Now": [
            number(
                "Sources that answer not",
                "libvirt, xl or xenstore: runbooks of the control plane.",
                COUNT,
                f"sum({host('xenwatch_source_up')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Daemons down",
                "Never restart xenstored: runbook XenDaemonDown.",
                COUNT,
                f"sum({host('xen_daemon_up')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Device models missing",
                "A guest is dead or deaf: runbook XenDeviceModelMissing.",
                COUNT,
                f"sum({host('xen_domain_device_model_up')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Stuck calls to libvirt",
                "They never return: runbook XenLibvirtCallsStuck.",
                COUNT,
                f"sum({host('xenwatch_libvirt_stuck_calls')})",
                bad_from=1,
            ),
            number(
                "Collectors failing",
                "What they measure is old: runbook XenwatchCollectorFailing.",
                COUNT,
                f"sum({host('xenwatch_collector_success')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Agents' rules",
                "Zero would mean that nothing is diagnosed.",
                COUNT,
                f"min({host('xenwatch_diagnosis_rules')})",
            ),
        ],
        "xenstore": [
            lines(
                "One read takes",
                "Above a second: runbook XenXenstoreSlow.",
                SECONDS,
                (host("xen_xenstore_probe_duration_seconds"), "{{instance}}"),
            ),
            lines(
                "Nodes by guest",
                "At the quota a guest has used up its share: runbook XenXenstoreNodesNearQuota.",
                COUNT,
                (top(host("xen_xenstore_nodes")), "{{domain}}"),
                (host("xen_xenstore_node_quota"), "{{instance}} quota"),
            ),
            lines(
                "Event channels of dom0",
                "At the limit no further guest or device comes up: runbook XenEventChannelsNearLimit.",
                COUNT,
                (host("xen_event_channels_used"), "{{instance}} used"),
                (host("xen_event_channels_limit"), "{{instance}} limit"),
            ),
            lines(
                "Memory of daemons",
                "Climbing for days: a leak; runbook XenDaemonMemoryGrowing.",
                BYTES,
                (host("xen_daemon_resident_memory_bytes"), "{{daemon}}"),
            ),
        ],
        "libvirt": [
            lines(
                "Slowest calls (95 %)",
                "A migration or a dump holds a guest's job, or dom0 is slow.",
                SECONDS,
                (host("instance:xenwatch_libvirt_rpc_duration_seconds:p95_5m"), "{{instance}}"),
            ),
            lines(
                "Calls by kind",
                "Which calls are made, and how often.",
                EACH_SECOND,
                (rate(host("xenwatch_libvirt_rpc_duration_seconds_count")), "{{call}}"),
            ),
            lines(
                "Errors",
                "Steadily above zero: libvirt's own log says why.",
                EACH_SECOND,
                (rate(host("xenwatch_libvirt_rpc_errors_total")), "{{call}} {{code}}"),
            ),
            lines(
                "Reconnects",
                "Each is a libvirtd that went away.",
                EACH_SECOND,
                (rate(host("xenwatch_libvirt_reconnects_total")), "{{instance}}"),
            ),
        ],
        "Daemons": [
            lines("Running", "Zero: gone.", YES_NO, (host("xen_daemon_up"), "{{daemon}}"), most=1),
            lines(
                "Cpu of daemons", "At 1 it spins.", COUNT, (rate(host("xen_daemon_cpu_seconds_total")), "{{daemon}}")
            ),
            lines(
                "Open descriptors",
                "Near its limit the next guest fails.",
                COUNT,
                (host("xen_daemon_open_fds"), "{{daemon}}"),
                (host("xen_daemon_max_fds"), "{{daemon}} limit"),
            ),
            lines(
                "Cpu of device models",
                "A busy qemu: a guest without PV drivers.",
                COUNT,
                (top(rate(host("xen_domain_device_model_cpu_seconds_total"))), "{{domain}}"),
            ),
            table("Sources", "0 does not answer.", YES_NO, (host("xenwatch_source_up"), "answers")),
        ],
        "The agent": [
            lines(
                "Collectors take",
                "Near their interval: dom0 is slow, or there are very many guests.",
                SECONDS,
                (top(host("xenwatch_collector_duration_seconds")), "{{collector}}"),
            ),
            lines(
                "Age of the numbers",
                "Climbing: that collector fails.",
                SECONDS,
                (top(f"time() - {host('xenwatch_collector_last_success_timestamp_seconds')}"), "{{collector}}"),
            ),
            lines(
                "Timeouts and errors",
                "Which part of the host does not answer.",
                EACH_SECOND,
                (rate(host("xenwatch_collector_timeouts_total")), "{{collector}} timeout"),
                (rate(host("xenwatch_collector_errors_total")), "{{collector}} {{reason}}"),
            ),
            lines(
                "Lateness of the event loop (99 %)",
                "Above a second: runbook XenwatchEventLoopBlocked.",
                SECONDS,
                (host("instance:xenwatch_event_loop_lag_seconds:p99_5m"), "{{instance}}"),
            ),
            lines(
                "Cpu of the agent",
                "It should stay below a few hundredths.",
                COUNT,
                (rate(host("process_cpu_seconds_total")), "{{instance}}"),
            ),
            lines(
                "Memory of the agent",
                "Climbing without end: restart it and report it.",
                BYTES,
                (host("process_resident_memory_bytes"), "{{instance}}"),
            ),
            lines(
                "Series",
                "Sampled each cycle; a jump means new guests or devices.",
                COUNT,
                (host("xenwatch_exposition_samples"), "{{instance}}"),
            ),
            lines(
                "Failed tasks",
                "Above zero: its log says why.",
                EACH_SECOND,
                (rate(host("xenwatch_task_failures_total")), "{{task}}"),
            ),
            lines(
                "State written",
                "Zero while incidents come: the disk is full.",
                EACH_SECOND,
                (rate(host("xenwatch_state_commits_total")), "commits"),
                (rate(host("xenwatch_state_commit_errors_total")), "errors"),
            ),
        ],
    },
)
