#!/bin/sh
# The first process of the VM: a machine as users have them (pure cgroup v2), then the script on the second disk, then off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
mount -o remount,rw /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 -o nsdelegate cgroup /sys/fs/cgroup
mount -t tmpfs -o mode=755 run /run
mkdir -p /dev/pts /dev/shm /dev/mqueue /run/lock
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -sfn /proc/self/fd /dev/fd
for module in overlay veth bridge nf_tables nft_chain_nat br_netfilter tun fuse; do modprobe $module 2>/dev/null; done
busybox ip link set lo up
hostname tsrun-vm
# As systemd does: what runs is in a cgroup of its own, and controllers are for the children of the root.
mkdir -p /sys/fs/cgroup/init
echo 1 >/sys/fs/cgroup/init/cgroup.procs
for name in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$name" >/sys/fs/cgroup/cgroup.subtree_control; done
until [ -b /dev/vdb ]; do sleep 0.1; done
mount -t ext4 /dev/vdb /tsrun
cd /tsrun
setsid ./vm-script </dev/null
echo "VM-RESULT $?"
sync
poweroff -f
