"""Classes and fields of XAPI as its reference publishes them, each field with the value that a new object has.

https://xapi-project.github.io/new-docs/xen-api/classes/index.html. A value shows its type: int, float, bool, str, a set
(tuple), a map (dict), `NEVER` (datetime) or `NULL` (a reference).
"""

import datetime as dt
from typing import Any

NULL = "OpaqueRef:NULL"
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

DATAMODEL: dict[str, dict[str, Any]] = {
    "pool": {
        "uuid": "", "name_label": "", "name_description": "", "master": NULL, "default_SR": NULL,
        "suspend_image_SR": NULL,
        "crash_dump_SR": NULL, "other_config": {}, "ha_enabled": False, "ha_configuration": {}, "ha_statefiles": (),
        "ha_host_failures_to_tolerate": 0, "ha_plan_exists_for": 0, "ha_allow_overcommit": False,
        "ha_overcommitted": False, "ha_cluster_stack": "xhad", "blobs": {}, "tags": (), "gui_config": {},
        "health_check_config": {}, "wlb_url": "", "wlb_username": "", "wlb_enabled": False, "wlb_verify_cert": False,
        "redo_log_enabled": False, "redo_log_vdi": NULL, "restrictions": {}, "metadata_VDIs": (), "cpu_info": {},
        "allowed_operations": (), "current_operations": {}, "live_patching_disabled": False,
        "igmp_snooping_enabled": False, "uefi_certificates": "", "tls_verification_enabled": False,
        "repositories": (), "client_certificate_auth_enabled": False, "last_update_sync": NEVER,
    },
    "host": {
        "uuid": "", "name_label": "", "name_description": "", "memory_overhead": 0, "allowed_operations": (),
        "current_operations": {}, "API_version_major": 2, "API_version_minor": 20, "API_version_vendor": "XenSource",
        "API_version_vendor_implementation": {}, "enabled": True, "software_version": {}, "other_config": {},
        "capabilities": (), "cpu_configuration": {}, "sched_policy": "credit", "supported_bootloaders": (),
        "resident_VMs": (), "logging": {}, "PIFs": (), "suspend_image_sr": NULL, "crash_dump_sr": NULL,
        "crashdumps": (), "patches": (), "updates": (), "PBDs": (), "host_CPUs": (), "cpu_info": {}, "hostname": "",
        "address": "", "metrics": NULL, "license_params": {}, "ha_statefiles": (), "ha_network_peers": (), "blobs": {},
        "tags": (), "external_auth_type": "", "external_auth_service_name": "", "external_auth_configuration": {},
        "edition": "xcp-ng", "license_server": {}, "bios_strings": {}, "power_on_mode": "", "power_on_config": {},
        "local_cache_sr": NULL, "chipset_info": {}, "PCIs": (), "PGPUs": (), "PUSBs": (), "ssl_legacy": False,
        "guest_VCPUs_params": {}, "display": "enabled", "virtual_hardware_platform_versions": (0, 1, 2),
        "control_domain": NULL, "updates_requiring_reboot": (), "features": (), "iscsi_iqn": "", "multipathing": False,
        "uefi_certificates": "", "certificates": (), "editions": (), "pending_guidances": (),
        "tls_verification_enabled": True,
        "last_software_update": NEVER, "https_only": False, "latest_synced_updates_applied": "unknown",
    },
    "host_metrics": {
        "uuid": "", "memory_total": 0, "memory_free": 0, "live": True, "last_updated": NEVER, "other_config": {},
    },
    "VM": {
        "uuid": "", "name_label": "", "name_description": "", "allowed_operations": (), "current_operations": {},
        "power_state": "Halted", "user_version": 1, "is_a_template": False, "is_default_template": False,
        "suspend_VDI": NULL, "resident_on": NULL, "scheduled_to_be_resident_on": NULL, "affinity": NULL,
        "memory_overhead": 0, "memory_target": 0, "memory_static_max": 0, "memory_dynamic_max": 0,
        "memory_dynamic_min": 0,
        "memory_static_min": 0, "VCPUs_params": {}, "VCPUs_max": 1, "VCPUs_at_startup": 1, "actions_after_softreboot":
        "soft_reboot", "actions_after_shutdown": "destroy", "actions_after_reboot": "restart", "actions_after_crash":
        "restart", "consoles": (), "VIFs": (), "VBDs": (), "VUSBs": (), "crash_dumps": (), "VTPMs": (),
        "PV_bootloader": "", "PV_kernel": "", "PV_ramdisk": "", "PV_args": "", "PV_bootloader_args": "",
        "PV_legacy_args": "", "HVM_boot_policy": "BIOS order", "HVM_boot_params": {}, "HVM_shadow_multiplier": 1.0,
        "platform": {}, "PCI_bus": "", "other_config": {}, "domid": -1, "domarch": "", "last_boot_CPU_flags": {},
        "is_control_domain": False, "metrics": NULL, "guest_metrics": NULL, "last_booted_record": "",
        "recommendations": "", "xenstore_data": {}, "ha_always_run": False, "ha_restart_priority": "",
        "is_a_snapshot": False, "snapshot_of": NULL, "snapshots": (), "snapshot_time": NEVER,
        "transportable_snapshot_id": "", "blobs": {}, "tags": (), "blocked_operations": {}, "snapshot_info": {},
        "snapshot_metadata": "", "parent": NULL, "children": (), "bios_strings": {}, "protection_policy": NULL,
        "is_snapshot_from_vmpp": False, "snapshot_schedule": NULL, "is_vmss_snapshot": False, "appliance": NULL,
        "start_delay": 0, "shutdown_delay": 0, "order": 0, "VGPUs": (), "attached_PCIs": (), "suspend_SR": NULL,
        "version": 0, "generation_id": "", "hardware_platform_version": 0, "has_vendor_device": False,
        "requires_reboot": False, "reference_label": "", "domain_type": "hvm", "NVRAM": {}, "pending_guidances": (),
    },
    "VM_metrics": {
        "uuid": "", "memory_actual": 0, "VCPUs_number": 0, "VCPUs_utilisation": {}, "VCPUs_CPU": {}, "VCPUs_params": {},
        "VCPUs_flags": {}, "state": (), "start_time": NEVER, "install_time": NEVER, "last_updated": NEVER,
        "other_config": {}, "hvm": False, "nested_virt": False, "nomigrate": False,
        "current_domain_type": "unspecified",
    },
    "VM_guest_metrics": {
        "uuid": "", "os_version": {}, "netbios_name": {}, "PV_drivers_version": {}, "PV_drivers_up_to_date": False,
        "memory": {}, "disks": {}, "networks": {}, "other": {}, "last_updated": NEVER, "other_config": {}, "live": True,
        "can_use_hotplug_vbd": "yes", "can_use_hotplug_vif": "yes", "PV_drivers_detected": False,
    },
    "VBD": {
        "uuid": "", "allowed_operations": (), "current_operations": {}, "VM": NULL, "VDI": NULL, "device": "",
        "userdevice": "", "bootable": False, "mode": "RW", "type": "Disk", "unpluggable": False, "storage_lock": False,
        "empty": False, "other_config": {}, "currently_attached": False, "status_code": 0, "status_detail": "",
        "runtime_properties": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}, "qos_supported_algorithms": (),
        "metrics": NULL,
    },
    "VIF": {
        "uuid": "", "allowed_operations": (), "current_operations": {}, "device": "0", "network": NULL, "VM": NULL,
        "MAC": "", "MTU": 1500, "other_config": {}, "currently_attached": False, "status_code": 0, "status_detail": "",
        "runtime_properties": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}, "qos_supported_algorithms": (),
        "metrics": NULL, "MAC_autogenerated": True, "locking_mode": "network_default", "ipv4_allowed": (),
        "ipv6_allowed": (), "ipv4_configuration_mode": "None", "ipv4_addresses": (), "ipv4_gateway": "",
        "ipv6_configuration_mode": "None", "ipv6_addresses": (), "ipv6_gateway": "",
    },
    "VDI": {
        "uuid": "", "name_label": "", "name_description": "", "allowed_operations": (), "current_operations": {},
        "SR": NULL, "VBDs": (), "crash_dumps": (), "virtual_size": 0, "physical_utilisation": 0, "type": "user",
        "sharable": False, "read_only": False, "other_config": {}, "storage_lock": False, "location": "",
        "managed": True, "missing": False, "parent": NULL, "xenstore_data": {}, "sm_config": {}, "is_a_snapshot": False,
        "snapshot_of": NULL, "snapshots": (), "snapshot_time": NEVER, "tags": (), "allow_caching": False,
        "on_boot": "persist", "metadata_of_pool": NULL, "metadata_latest": False, "is_tools_iso": False,
        "cbt_enabled": False,
    },
    "SR": {
        "uuid": "", "name_label": "", "name_description": "", "allowed_operations": (), "current_operations": {},
        "VDIs": (), "PBDs": (), "virtual_allocation": 0, "physical_utilisation": 0, "physical_size": 0, "type": "",
        "content_type": "user", "shared": False, "other_config": {}, "tags": (), "sm_config": {}, "blobs": {},
        "local_cache_enabled": False, "introduced_by": NULL, "clustered": False, "is_tools_sr": False,
    },
    "PBD": {
        "uuid": "", "host": NULL, "SR": NULL, "device_config": {}, "currently_attached": True, "other_config": {},
    },
    "PIF": {
        "uuid": "", "device": "", "network": NULL, "host": NULL, "MAC": "", "MTU": 1500, "VLAN": -1, "metrics": NULL,
        "physical": True, "currently_attached": True, "ip_configuration_mode": "Static", "IP": "", "netmask": "",
        "gateway": "", "DNS": "", "bond_slave_of": NULL, "bond_master_of": (), "VLAN_master_of": NULL,
        "VLAN_slave_of": (), "management": False, "other_config": {}, "disallow_unplug": False,
        "tunnel_access_PIF_of": (),
        "tunnel_transport_PIF_of": (), "ipv6_configuration_mode": "None", "IPv6": (), "ipv6_gateway": "",
        "primary_address_type": "IPv4", "managed": True, "properties": {}, "capabilities": (),
        "igmp_snooping_status": "unknown", "sriov_physical_PIF_of": (), "sriov_logical_PIF_of": (), "PCI": NULL,
    },
    "network": {
        "uuid": "", "name_label": "", "name_description": "", "allowed_operations": (), "current_operations": {},
        "VIFs": (), "PIFs": (), "MTU": 1500, "other_config": {}, "bridge": "", "managed": True, "blobs": {}, "tags": (),
        "default_locking_mode": "unlocked", "assigned_ips": {}, "purpose": (),
    },
    "task": {
        "uuid": "", "name_label": "", "name_description": "", "allowed_operations": (), "current_operations": {},
        "created": NEVER, "finished": NEVER, "status": "pending", "resident_on": NULL, "progress": 0.0,
        "type": "<none/>",
        "result": "", "error_info": (), "other_config": {}, "subtask_of": NULL, "subtasks": (), "backtrace": "()",
    },
    "message": {
        "uuid": "", "name": "", "priority": 5, "cls": "VM", "obj_uuid": "", "timestamp": NEVER, "body": "",
    },
}  # fmt: skip
