# Shell functions that make a guest's parts; ops/guest/build reads this file. They expect: out, cache and root (folders
# of this build), kernel_package, inputs (files the guest is made of) and, after find_tree, tree. The guest holds no
# function: workloads are images of their own.
# shellcheck shell=bash disable=SC2154

# The programs of every guest: busybox, and crun with the libraries that it loads.
programs=(busybox-static crun libcap2 libseccomp2 libsystemd0 libyajl2 libgcrypt20 libgpg-error0 liblzma5 libzstd1
    liblz4-1 libc6 libgcc-s1)

# How a workload is called, and what runs beside it, the same in every guest.
calls_sources=(ops/guest/{calls,json,wire,http1,http2,plan,stress}.c ops/guest/{calls,json,wire,plan,stress}.h
    Sources/engines/qemu/model/include/marks.h)

say() { printf 'guest: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "the program $1 is missing: install the Debian package $2"
}

# One line a package, so that another version makes another guest.
package_versions() {
    printf '%s %s\n' "$kernel_package" "$(apt-cache policy "$kernel_package" | awk '/Candidate:/ {print $2}')"
    dpkg-query -W -f '${Package} ${Version}\n' "${programs[@]}" 2>/dev/null || true
    cc --version | head -n 1
}

input_digest() {
    {
        package_versions
        find "${inputs[@]}" -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -d ' ' -f 1
}

# download PACKAGE...: as files into the cache, unless they are there.
download() {
    local package
    mkdir -p "$cache"
    for package in "$@"; do
        compgen -G "$cache/${package}_*.deb" >/dev/null && continue
        say "downloading $package"
        (cd "$cache" && apt-get download "$package" >download.log 2>&1) ||
            fail "cannot download $package (see $cache/download.log); is apt's list of packages fresh?"
    done
}

# Says where the programs lie: nowhere special if all are installed, else in a tree of unpacked packages.
find_tree() {
    local package
    if dpkg-query -W -f '${db:Status-Status}\n' "${programs[@]}" 2>/dev/null | grep -vq '^installed$' ||
        ! dpkg-query -W "${programs[@]}" >/dev/null 2>&1; then
        download "${programs[@]}"
        tree=$PWD/$cache/tree
        rm -rf "$tree"
        mkdir -p "$tree/usr/bin" "$tree/usr/lib64" "$tree/usr/lib"
        ln -s usr/bin "$tree/bin" && ln -s usr/lib "$tree/lib" && ln -s usr/lib64 "$tree/lib64"
        for package in "${programs[@]}"; do
            dpkg-deb --fsys-tarfile "$(ls -t "$cache/${package}"_*.deb | head -n 1)" |
                tar -x --keep-directory-symlink -C "$tree"
        done
    else
        tree=
    fi
}

in_tree() {
    if [ -n "$tree" ]; then
        PYTHONHOME=$tree/usr "$tree/lib64/ld-linux-x86-64.so.2" \
            --library-path "$tree/usr/lib/x86_64-linux-gnu:$tree/lib/x86_64-linux-gnu" "$tree/$1" "${@:2}"
    else
        "$@"
    fi
}

# copy_program NAME ROOT: the program and the libraries it is linked with.
copy_program() {
    local file target
    install -D -m 755 "$tree$1" "$2$1"
    in_tree /lib64/ld-linux-x86-64.so.2 --list "$tree$1" | sed -n 's|^[^/]*\(/[^ ]*\).*|\1|p' | while read -r file; do
        target=${file#"$tree"}
        if [ -f "$file" ] && [ ! -e "$2$target" ]; then install -D -m 755 "$file" "$2$target"; fi
    done
}

# make_root APPLET...: the root file system without its init and its invoker.
make_root() {
    local applet
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,workload}
    install -m 755 "$tree$(readlink -e "$tree/bin/busybox" | sed "s|^$tree||")" "$root/bin/busybox"
    for applet in "$@"; do ln -s busybox "$root/bin/$applet"; done
    copy_program /usr/bin/crun "$root"
}

# compile NAME OPTION...: a program of the guest, into its /bin.
compile() {
    cc -static -O2 -Wall -Wextra -Werror -Wno-pointer-sign -fno-plt -fno-semantic-interposition -flto \
        -o "$root/bin/$1" "${@:2}"
    strip "$root/bin/$1"
}

# compile_caller NAME OPTION...: a program that calls workloads, with the library for HTTP/2, which is downloaded where
# it is not installed.
compile_caller() {
    local libraries=
    if [ ! -f /usr/include/nghttp2/nghttp2.h ]; then
        libraries=$cache/nghttp2
        download libnghttp2-dev
        dpkg-deb -x "$(ls -t "$cache"/libnghttp2-dev_*.deb | head -n 1)" "$libraries"
    fi
    compile "$1" -I Sources/engines/qemu/model/include "${@:2}" \
        ops/guest/{calls,json,wire,http1,http2}.c -isystem "$libraries/usr/include" \
        -L "$libraries/usr/lib/x86_64-linux-gnu" -lnghttp2 -lm
}

digest_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# make_manifest DIGEST ENGINE_LINE FILE...: what the guest is made of, last, so that it is complete where it is there.
make_manifest() {
    local file files=
    for file in "${@:3}"; do files="$files${files:+,
}    \"$file\": \"$(digest_of "$out/$file")\""; done
    cat >"$out/manifest.json" <<END
{
  "inputs": "$1",
  $2
  "kernel-package": "$kernel_package",
  "files": {
$files
  }
}
END
}
