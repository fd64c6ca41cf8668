#!/kernel/busybox sh
# The guest's first process: mounts what the host shares, runs /job with its output on the second serial port, writes
# the job's status to the third, and powers off. The kernel's messages and this script's are on the first.
busybox=/kernel/busybox
fail() { echo "init: $1"; $busybox poweroff -f; }
mount() { $busybox mount "$@" || fail "cannot mount $*"; }

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for directory in /dev/shm /run /tmp; do
  $busybox mkdir -p $directory
  mount -t tmpfs -o mode=1777 tmpfs $directory
done

# Whatever else the kernel wants, it asks for by itself, as on any Debian.
echo /kernel/modprobe >/proc/sys/kernel/modprobe
/kernel/modprobe -a $($busybox cat /kernel/boot-modules) || fail 'the modules for 9p do not load'
# msize: the most that virtio takes in one message.
while read -r tag options path; do
  $busybox mkdir -p "$path"
  mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$options" "$tag" "$path"
done </kernel/shares

$busybox ip link set lo up
$busybox stty -F /dev/ttyS1 raw
echo "init: running the job $($busybox cut -d ' ' -f 1 /proc/uptime) s after the kernel's start"
{ $busybox sh /job </dev/null 2>&1; echo $? >/run/status; } | $busybox cat >/dev/ttyS1
$busybox cat /run/status >/dev/ttyS2
$busybox poweroff -f
