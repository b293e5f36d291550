"""The guests' network: bridges, their ports, and interfaces that lose packets."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTE_RATE, BYTES, COUNT, EACH_SECOND, SHARE, YES_NO, lines, number, states, table
from dashboards.lib.queries import host, rate, top

DASHBOARD = dashboard(
    "network",
    "Network",
    "Bridges and interfaces of the guests.",
    {
        "Now": [
            number(
                "Interfaces off their bridge",
                "Each is a guest that is cut off: runbook XenVifNotOnBridge.",
                COUNT,
                f"sum({host('xen_domain_vif_bridge_attached')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Interfaces down",
                "The guest has no driver, or shut it: runbook XenVifDown.",
                COUNT,
                f"sum({host('xen_domain_vif_up')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Duplicate MACs",
                "Two guests lose packets: runbook XenDuplicateMac.",
                COUNT,
                f"sum({host('xen_bridge_duplicate_macs')})",
                bad_from=1,
            ),
            number(
                "Bridges without uplink",
                "Meant for internal bridges only.",
                COUNT,
                f"sum({host('xen_bridge_uplinks')} == bool 0)",
            ),
            number(
                "Ports with a larger MTU",
                "Large packets are lost: runbook XenMtuMismatch.",
                COUNT,
                f"sum({host('xen_network_mtu_mismatch')})",
                bad_from=1,
            ),
            number(
                "Fullest bridge",
                "At 100 % no further guest starts: runbook XenBridgePortsNearLimit.",
                SHARE,
                f"max({host('xen_bridge_ports')} / {host('xen_bridge_ports_limit')})",
                bad_from=0.9,
            ),
        ],
        "Bridges": [
            lines("Ports", "1023 is the end.", COUNT, (host("xen_bridge_ports"), "{{instance}} {{bridge}}")),
            lines(
                "Uplinks",
                "A fall to zero: the bridge lost its way out.",
                COUNT,
                (host("xen_bridge_uplinks"), "{{instance}} {{bridge}}"),
            ),
            lines(
                "Addresses learnt",
                "A sudden climb: a loop or a flood.",
                COUNT,
                (host("xen_bridge_fdb_entries"), "{{bridge}} {{kind}}"),
            ),
            lines(
                "Addresses that moved",
                "Steadily above zero: two machines with one MAC, or a loop; runbook XenBridgeMacMoving.",
                EACH_SECOND,
                (rate(host("xen_bridge_mac_moves_total")), "{{instance}} {{bridge}}"),
            ),
            lines(
                "MTU",
                "It should be that of the guests.",
                BYTES,
                (host("xen_bridge_mtu_bytes"), "{{instance}} {{bridge}}"),
            ),
            lines(
                "Topology changes",
                "Often 1: somebody's switch or cable flaps.",
                YES_NO,
                (host("xen_bridge_topology_change_detected"), "{{instance}} {{bridge}}"),
                most=1,
            ),
            states(
                "Ports that do not forward",
                "Coloured: nothing passes there.",
                (host("xen_bridge_port_stp_state", state="!=forwarding"), "{{bridge}} {{port}} {{state}}"),
            ),
            table(
                "Bridges",
                "stp on a host without loops is a risk of its own.",
                COUNT,
                (host("xen_bridge_info"), "there"),
            ),
        ],
        "Interfaces": [
            lines(
                "Traffic",
                "The largest first.",
                BYTE_RATE,
                (top(host("instance_domain:xen_domain_vif_bytes:rate5m")), "{{domain}}"),
            ),
            lines(
                "Packets",
                "Many small packets keep dom0 busy.",
                EACH_SECOND,
                (top(rate(host("xen_domain_vif_receive_packets_total"))), "{{domain}} {{vif}} receive"),
                (top(rate(host("xen_domain_vif_transmit_packets_total"))), "{{domain}} {{vif}} transmit"),
            ),
            lines(
                "Dropped",
                "The guest does not take them: runbook XenVifDropsHigh.",
                EACH_SECOND,
                (top(host("instance_domain_vif:xen_domain_vif_dropped:rate5m")), "{{domain}} {{vif}}"),
            ),
            lines(
                "Errors",
                "Anything above zero: a frontend misbehaves; runbook XenVifErrors.",
                EACH_SECOND,
                (rate(host("xen_domain_vif_receive_errors_total")), "{{domain}} {{vif}} receive"),
                (rate(host("xen_domain_vif_transmit_errors_total")), "{{domain}} {{vif}} transmit"),
            ),
            lines(
                "Limits",
                "A guest that complains may simply be limited.",
                BYTE_RATE,
                (host("xen_domain_vif_rate_limit_bytes_per_second"), "{{domain}} {{vif}}"),
            ),
            table("Interfaces", "Which bridge each was configured for.", COUNT, (host("xen_domain_vif_info"), "there")),
        ],
    },
)
