# The guest of the engine qemu: vmlinuz, initrd.img, model.so. ops/guest/build reads this file.
# shellcheck shell=bash disable=SC2034,SC2154
out=ops/guest/out
inputs=(ops/guest/build ops/guest/parts.sh ops/guest/qemu.sh ops/guest/init ops/guest/usweep-{containers,beside}
    ops/guest/{invoker,helpers,beside,listens,seed}.c ops/guest/helpers.h "${calls_sources[@]}" Sources/engines/qemu/model)
files=(vmlinuz initrd.img model.so)
# The kernel's modules for the workload's disk, in the order in which they are loaded. Two more are loaded once there is a
# disk: virtio_blk looks at it, brd has its size.
modules=(drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci fs/squashfs/squashfs fs/overlayfs/overlay
    net/ipv4/inet_diag net/ipv4/tcp_diag)

find_kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}'
}

check_needs() {
    need cpio cpio
    [ -n "$kernel_package" ] || fail "apt knows no linux-image-cloud-amd64: run apt-get update"
}

# The package's files, without installing it.
unpack_kernel() {
    download "$kernel_package"
    dpkg-deb --fsys-tarfile "$(deb_of "$kernel_package")" >"$cache/kernel.tar"
}

make_kernel() {
    unpack_kernel
    tar -xOf "$cache/kernel.tar" "./boot/vmlinuz-${kernel_package#linux-image-}" >"$out/vmlinuz"
}

make_modules() {
    local module from=./lib/modules/${kernel_package#linux-image-}/kernel
    mkdir -p "$root/modules"
    for module in "${modules[@]}" drivers/block/{virtio_blk,brd}; do
        tar -xOf "$cache/kernel.tar" "$from/$module.ko" >"$root/modules/${module##*/}.ko"
    done
    printf '%s\n' "${modules[@]##*/}" >"$root/modules/order"
    rm -f "$cache/kernel.tar"
}

make_initrd() {
    make_root sh mount cat dd dmesg echo grep insmod ip mkdir mkfifo printf rm taskset tail tee stty sleep umount \
        unshare
    make_modules
    install -m 755 ops/guest/init "$root/init"
    install -m 644 -t "$root/bin" ops/guest/usweep-{containers,beside}
    compile_caller invoker ops/guest/{invoker,helpers,plan,stress}.c
    compile_caller beside ops/guest/beside.c
    compile listens ops/guest/listens.c
    compile seed ops/guest/seed.c
    find "$root" -exec touch -h -d @0 {} +
    (cd "$root" && find . -print0 | LC_ALL=C sort -z |
        cpio --null --create --format=newc --owner=0:0 --reproducible --quiet) >"$out/initrd.img"
    rm -rf "$root"
}

make_model() {
    cc -std=c11 -O3 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror -D_GNU_SOURCE \
        -I Sources/engines/qemu/model/include -fno-plt -fno-semantic-interposition -flto \
        -o "$out/model.so" Sources/engines/qemu/model/*.c
}

make_files() {
    say "kernel $kernel_package"
    make_kernel
    say "programs"
    find_tree
    make_initrd
    say "model"
    make_model
}

engine_line() { echo "\"marks\": $(awk '/define MARKS_VERSION/ {print $3}' Sources/engines/qemu/model/include/marks.h), \"boots\": 1,"; }
