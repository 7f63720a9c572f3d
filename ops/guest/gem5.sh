# The guest of the engine gem5: vmlinux (for gem5), bzImage (the same kernel, for QEMU), disk.img. ops/guest/build
# reads this file.
# shellcheck shell=bash disable=SC2034,SC2154
out=ops/guest/out-gem5
inputs=(ops/guest/build ops/guest/parts.sh ops/guest/gem5.sh ops/guest/gem5 ops/guest/usweep-containers
    ops/guest/{listens,seed}.c "${calls_sources[@]}")
files=(vmlinux bzImage disk.img)
PATH=$PATH:/usr/sbin:/sbin

find_kernel_package() {
    [ -z "$(apt-cache policy linux-source-6.1 2>/dev/null)" ] || echo linux-source-6.1
}

check_needs() {
    need bc bc
    need bison bison
    need flex flex
    need make make
    need xz xz-utils
    need mke2fs e2fsprogs
    [ -n "$kernel_package" ] || fail "apt knows no linux-source-6.1: run apt-get update"
}

# The kernel is what takes long: it is kept under the digest of what it is made from.
kernel_digest() {
    {
        package_versions | sed -n '1p;$p'
        cat ops/guest/gem5/kernel.config
    } | sha256sum | cut -c 1-16
}

# Some sources cannot be part of this kernel, but every Kconfig must be there.
unpack_kernel() {
    rm -rf "$1"
    mkdir -p "$1"
    dpkg-deb --fsys-tarfile "$(deb_of "$kernel_package")" |
        tar -xO "./usr/src/$kernel_package.tar.xz" |
        tar -xJ -C "$1" --strip-components=1 --exclude='*/Documentation/*/*' --exclude='*/drivers/gpu/*.[ch]' \
            --exclude='*/arch/[!x]*/*.[chS]' --exclude='*/tools/testing/*' --exclude='*.dts*'
}

# All lines of the file must hold in the end: a line that this kernel overrides or does not know is an error.
configure_kernel() {
    local line lost=
    (cd "$1" && make -s tinyconfig && ./scripts/kconfig/merge_config.sh -m .config "$2" && make -s olddefconfig) ||
        return
    while read -r line; do
        case $line in
        CONFIG_* | '# CONFIG_'*) grep -qxF "$line" "$1/.config" || lost="$lost ${line#\# }" ;;
        esac
    done <"$2"
    [ -z "$lost" ] && return
    echo "this kernel does not take from $2:$lost"
    return 1
}

# Where kernels are kept that were compiled, for all clones of one user.
kept_kernels=${XDG_CACHE_HOME:-${HOME:-$PWD/$out}/.cache}/usweep/kernels

# What is kept is used only if it is whole.
is_kept() { (cd "$1" 2>/dev/null && sha256sum -c --status digests 2>/dev/null); }

make_kernel() {
    local kept tree log
    kept=$kept_kernels/$(kernel_digest)
    tree=$PWD/$cache/linux
    log=$cache/kernel.log
    if ! is_kept "$kept"; then
        download "$kernel_package"
        say "kernel from $kernel_package (some minutes; $log)"
        export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=usweep KBUILD_BUILD_HOST=usweep
        (unpack_kernel "$tree" && configure_kernel "$tree" "$PWD/ops/guest/gem5/kernel.config" &&
            make -s -C "$tree" -j "$(nproc)" vmlinux bzImage) >"$log" 2>&1 ||
            fail "the kernel was not built: $(tail -n 3 "$log")"
        keep_kernel "$tree" "$kept"
        rm -rf "$tree"
    fi
    cp "$kept/vmlinux" "$kept/bzImage" "$out/"
}

# keep_kernel TREE FOLDER: another clone may be doing the same, or copy what is there: that stays if it is whole.
keep_kernel() {
    local new
    mkdir -p "$(dirname "$2")"
    new=$(mktemp -d "$2.XXXXXX")
    cp "$1/arch/x86/boot/bzImage" "$1/vmlinux" "$new/"
    (cd "$new" && sha256sum vmlinux bzImage >digests)
    if [ -e "$2" ] && ! is_kept "$2"; then mv -T "$2" "$new/broken" 2>/dev/null || true; fi
    mv -T "$new" "$2" 2>/dev/null || rm -rf "$new"
    rm -rf "$2/broken"
    is_kept "$2" || fail "$2 cannot be written"
}

# Owners and times are those of the build otherwise: the same inputs are to make the same disk.
make_same() {
    local field
    (cd "$root" && find . -mindepth 1 -printf '/%P\n') | while read -r file; do
        for field in 'uid 0' 'gid 0' 'atime @0' 'ctime @0' 'crtime @0'; do
            echo "set_inode_field \"$file\" $field"
        done
    done >"$out/owners"
    E2FSPROGS_FAKE_TIME=1 debugfs -w -f "$out/owners" "$1" >"$out/owners.log" 2>&1 ||
        fail "debugfs failed ($out/owners.log)"
    rm -f "$out/owners" "$out/owners.log"
}

make_disk() {
    local source=ops/guest/gem5 kilobytes name=75737765-6570-4067-8035-677565737431
    make_root sh mount cat dmesg echo grep ip mkdir printf reboot sleep tail taskset
    install -m 755 $source/init "$root/init"
    install -m 755 -t "$root/bin" $source/usweep-* ops/guest/usweep-containers
    compile m5 $source/m5.c $source/m5ops.c
    compile listens ops/guest/listens.c
    compile seed ops/guest/seed.c
    compile_caller invoker $source/invoker.c $source/m5ops.c ops/guest/{plan,stress}.c
    find "$root" -exec touch -h -d @0 {} +
    kilobytes=$(du -sk "$root" | cut -f 1)
    rm -f "$out/disk.img"
    E2FSPROGS_FAKE_TIME=1 mke2fs -q -t ext4 -O ^has_journal -m 0 -L usweep -d "$root" \
        -U $name -E root_owner=0:0,hash_seed=$name \
        "$out/disk.img" "$((kilobytes * 5 / 4 + 8192))k" >/dev/null
    make_same "$out/disk.img"
    rm -rf "$root"
}

make_files() {
    make_kernel
    say "programs"
    find_tree
    make_disk
}

engine_line() { echo '"marks": "vswarm", "boots": 1,'; }
