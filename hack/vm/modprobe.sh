#!/kernel/busybox sh
# What the guest's kernel starts when it wants a module.
exec /kernel/busybox chroot /kernel /busybox modprobe "$@"
