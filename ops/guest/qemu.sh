# The guest of the engine qemu: vmlinuz, initrd.img, model.so. ops/guest/build reads this file.
# shellcheck shell=bash disable=SC2034,SC2154
out=ops/guest/out
listens=127.0.0.1:50051
inputs=(ops/guest/build ops/guest/parts.sh ops/guest/qemu.sh ops/guest/init ops/guest/invoker.c
    "${calls_sources[@]}" ops/guest/collect.py ops/guest/functions/*.{py,calls} Sources/engines/qemu/model)
files=(vmlinuz initrd.img model.so)

find_kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}'
}

check_needs() {
    need cpio cpio
    [ -n "$kernel_package" ] || fail "apt knows no linux-image-cloud-amd64: run apt-get update"
}

make_kernel() {
    local installed
    installed=$(find /boot -name "vmlinuz-${kernel_package#linux-image-}" 2>/dev/null)
    if [ -n "$installed" ] && [ -r "$installed" ]; then
        cp "$installed" "$out/vmlinuz"
        return
    fi
    download "$kernel_package"
    dpkg-deb --fsys-tarfile "$(ls -t "$cache/$kernel_package"_*.deb | head -n 1)" |
        tar -xO "./boot/vmlinuz-${kernel_package#linux-image-}" >"$out/vmlinuz"
}

make_initrd() {
    make_root sh mount cat echo ip taskset tail stty sleep
    install -m 755 ops/guest/init "$root/init"
    compile_invoker -I Sources/engines/qemu/model/include ops/guest/invoker.c
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
    say "programs and containers"
    find_tree
    make_initrd
    say "model"
    make_model
}

engine_line() { echo "\"marks\": $(awk '/define MARKS_VERSION/ {print $3}' Sources/engines/qemu/model/include/marks.h),"; }
