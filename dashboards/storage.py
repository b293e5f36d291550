"""Storage below the guests: volume groups, thin pools, snapshots, arrays, paths, mounts, leftovers."""

from dashboards.lib.dashboard import dashboard
from dashboards.lib.panels import BYTES, COUNT, EACH_SECOND, SECONDS, SHARE, YES_NO, lines, number, states, table
from dashboards.lib.queries import host, rate, top

DASHBOARD = dashboard(
    "storage",
    "Storage",
    "What the guests' disks stand on.",
    {
        "Now": [
            number(
                "Missing physical volumes",
                "A disk or a path is gone: runbook XenVolumeGroupMissingPv.",
                COUNT,
                f"sum({host('xen_lvm_vg_missing_pvs')})",
                bad_from=1,
            ),
            number(
                "Fullest thin pool",
                "At 100 % every guest on it fails: runbook XenThinPoolFull.",
                SHARE,
                f"max({host('xen_lvm_thin_data_ratio')})",
                bad_from=0.85,
            ),
            number(
                "Degraded arrays",
                "The next disk that fails takes the data: runbook XenRaidDegraded.",
                COUNT,
                f"sum({host('xen_md_array_state', state='degraded')})",
                bad_from=1,
            ),
            number(
                "Failed paths",
                "Repair it before the second goes: runbook XenMultipathPathFailed.",
                COUNT,
                f"sum({host('xen_multipath_paths', state='failed')})",
                bad_from=1,
            ),
            number(
                "Hung NFS mounts",
                "Guests on it stand still: runbook XenNfsMountHung.",
                COUNT,
                f"sum({host('xen_nfs_mount_up')} == bool 0)",
                bad_from=1,
            ),
            number(
                "Leftovers",
                "They may keep a guest's disk from being used: runbook XenOrphanDevices.",
                COUNT,
                f"sum({host('xen_orphan_devices')})",
                bad_from=1,
            ),
        ],
        "Volume groups": [
            lines(
                "Free",
                "Below 2 % snapshots and pools cannot grow.",
                SHARE,
                (host("instance_vg:xen_lvm_vg_free:ratio"), "{{instance}} {{vg}}"),
                most=1,
            ),
            lines(
                "Days until full",
                "As it filled in the last six hours; below 1 is today.",
                COUNT,
                (
                    f"{host('xen_lvm_vg_free_bytes')} / -(deriv({host('xen_lvm_vg_free_bytes')}[6h]) < 0) / 86400",
                    "{{instance}} {{vg}}",
                ),
            ),
            lines(
                "Snapshots",
                "Each slows every write to its origin.",
                COUNT,
                (host("xen_lvm_vg_snapshots"), "{{instance}} {{vg}}"),
            ),
            lines(
                "How full snapshots are",
                "At 100 % it is lost.",
                SHARE,
                (host("xen_lvm_snapshot_usage_ratio"), "{{vg}}/{{lv}} of {{origin}}"),
                most=1,
            ),
            lines(
                "Thin pools",
                "Extend above 85 %: data and metadata both count.",
                SHARE,
                (host("xen_lvm_thin_data_ratio"), "{{vg}}/{{lv}} data"),
                (host("xen_lvm_thin_metadata_ratio"), "{{vg}}/{{lv}} metadata"),
                most=1,
            ),
            table(
                "Volume groups",
                "Size and what is left.",
                BYTES,
                (host("xen_lvm_vg_size_bytes"), "size"),
                (host("xen_lvm_vg_free_bytes"), "free"),
            ),
            table(
                "Volumes that are not well",
                "LVM's own word: runbook XenLogicalVolumeUnwell.",
                COUNT,
                (host("xen_lvm_lv_health"), "holds"),
            ),
            table(
                "The owner of each volume",
                "A volume without a guest may be a leftover.",
                COUNT,
                (host("xen_lvm_lv_holder_info"), "in use"),
            ),
        ],
        "Arrays and paths": [
            states(
                "Arrays",
                "degraded coloured: a disk is out; recovering beside it: it is being repaired.",
                (host("xen_md_array_state", state="!=active"), "{{instance}} {{array}} {{state}}"),
            ),
            lines(
                "Rebuild",
                "It should climb; standing still means a bad disk.",
                SHARE,
                (host("xen_md_sync_ratio"), "{{instance}} {{array}}"),
                most=1,
            ),
            lines(
                "Paths",
                "failed above zero: runbook XenMultipathPathFailed.",
                COUNT,
                (host("xen_multipath_paths"), "{{device}} {{state}}"),
            ),
            lines(
                "iSCSI sessions",
                "Zero: lost; runbook XenIscsiSessionDown.",
                YES_NO,
                (host("xen_iscsi_session_up"), "{{target}}"),
                most=1,
            ),
            lines(
                "NFS answers within",
                "Climbing: the server is overloaded.",
                SECONDS,
                (host("xen_nfs_mount_probe_duration_seconds"), "{{mountpoint}}"),
            ),
            states(
                "libvirt's pools",
                "Anything but running: runbook XenStoragePoolDown.",
                (host("xen_storage_pool_state", state="!=running"), "{{pool}} {{state}}"),
            ),
        ],
        "Disks of guests": [
            lines(
                "Requests by guest",
                "The guest that keeps the disks busy.",
                EACH_SECOND,
                (top(host("instance_domain:xen_domain_vbd_requests:rate5m")), "{{domain}}"),
            ),
            lines(
                "Out of requests",
                "The disk below is slower than the guest asks.",
                EACH_SECOND,
                (top(rate(host("xen_domain_vbd_out_of_requests_total"))), "{{domain}} {{device}}"),
            ),
            lines(
                "Waiting for disks in dom0",
                "Above 0.6 for long: runbook XenDom0IoPressure.",
                SHARE,
                (rate(host("xen_dom0_pressure_stalled_seconds_total", resource="io")), "{{instance}}"),
                most=1,
            ),
            lines(
                "Loop devices",
                "At their limit no guest with a file as disk starts.",
                COUNT,
                (host("xen_loop_devices"), "{{state}}"),
                (host("xen_loop_devices_limit"), "limit"),
            ),
            lines("Leftovers", "Devices that outlived their guests.", COUNT, (host("xen_orphan_devices"), "{{class}}")),
        ],
    },
)
