"""What dom0's Linux says around Xen: memory, block devices, md, device mapper, NFS, iSCSI, NVMe, PCI, IOMMU."""

import re

from component import Component
from kernel_source import read

from components.linux_xen import line

COMPONENT = Component(
    name="linux-dom0",
    paths=(
        "mm/oom_kill.c",
        "mm/page_alloc.c",
        "mm/swapfile.c",
        "mm/memory-failure.c",
        "mm/vmalloc.c",
        "kernel/dma/swiotlb.c",
        "lib/swiotlb.c",
        "block/blk-core.c",
        "block/blk-mq.c",
        "fs/buffer.c",
        "fs/nfs/nfs4state.c",
        "fs/nfs/super.c",
        "fs/nfs/nfs4proc.c",
        "fs/nfs/nfs3proc.c",
        "net/sunrpc/clnt.c",
        "net/sunrpc/xprtsock.c",
        "drivers/md/md.c",
        "drivers/md/raid1.c",
        "drivers/md/raid10.c",
        "drivers/md/raid5.c",
        "drivers/md/dm-table.c",
        "drivers/md/dm.c",
        "drivers/md/dm-ioctl.c",
        "drivers/md/dm-snap*.c",
        "drivers/md/dm-thin*.c",
        "drivers/md/dm-mpath.c",
        "drivers/md/dm-raid*.c",
        "drivers/scsi/sd.c",
        "drivers/scsi/scsi_error.c",
        "drivers/scsi/scsi_transport_iscsi.c",
        "drivers/scsi/libiscsi*.c",
        "drivers/scsi/iscsi_tcp.c",
        "drivers/nvme/host/core.c",
        "drivers/nvme/host/pci.c",
        "drivers/pci/pcie/aer.c",
        "drivers/pci/pcie/dpc.c",
        "drivers/iommu/intel/*.c",
        "drivers/iommu/amd/*.c",
        "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c",
    ),
    read=read,
    line=line,
    leave_out=re.compile(r"selftest|test_|_test\.c|debugfs"),
)
