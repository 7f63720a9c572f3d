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

# Whether the programs are used as they are installed.
are_installed() {
    dpkg-query -W "$@" >/dev/null 2>&1 &&
        [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$@" | sort -u)" = installed ]
}

has_http2() { [ -f /usr/include/nghttp2/nghttp2.h ]; }

# The version of a package that is downloaded: the one that apt would install.
candidate() { apt-cache policy "$1" | awk '/Candidate:/ {print $2}'; }

# package_versions: one line a package, so that another version makes another guest: exactly what is built from, whether
# it is installed or downloaded.
package_versions() {
    local package
    printf '%s %s\n' "$kernel_package" "$(candidate "$kernel_package")"
    if are_installed "${programs[@]}"; then
        dpkg-query -W -f '${Package} ${Version}\n' "${programs[@]}"
    else
        for package in "${programs[@]}"; do printf '%s %s\n' "$package" "$(candidate "$package")"; done
    fi
    if ! has_http2; then
        printf 'libnghttp2-dev %s\n' "$(candidate libnghttp2-dev)"
    elif are_installed libnghttp2-dev; then
        dpkg-query -W -f '${Package} ${Version}\n' libnghttp2-dev
    fi
    cc --version | head -n 1
}

input_digest() {
    {
        package_versions
        find "${inputs[@]}" -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -d ' ' -f 1
}

# deb_of PACKAGE: its file in the cache, of the version that package_versions has: an older one may lie beside it.
deb_of() {
    local version
    version=$(candidate "$1")
    compgen -G "$cache/$1_${version//:/%3a}_*.deb" | head -n 1
}

# download PACKAGE...: as files into the cache, unless they are there.
download() {
    local package
    mkdir -p "$cache"
    for package in "$@"; do
        [ -z "$(deb_of "$package")" ] || continue
        say "downloading $package"
        (cd "$cache" && apt-get download "$package=$(candidate "$package")" >download.log 2>&1) ||
            fail "cannot download $package (see $cache/download.log); is apt's list of packages fresh?"
    done
}

# Says where the programs lie: nowhere special if all are installed, else in a tree of unpacked packages.
find_tree() {
    local package
    if ! are_installed "${programs[@]}"; then
        download "${programs[@]}"
        tree=$PWD/$cache/tree
        rm -rf "$tree"
        mkdir -p "$tree/usr/bin" "$tree/usr/lib64" "$tree/usr/lib"
        ln -s usr/bin "$tree/bin" && ln -s usr/lib "$tree/lib" && ln -s usr/lib64 "$tree/lib64"
        for package in "${programs[@]}"; do
            dpkg-deb --fsys-tarfile "$(deb_of "$package")" |
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
    if ! has_http2; then
        libraries=$cache/nghttp2
        download libnghttp2-dev
        dpkg-deb -x "$(deb_of libnghttp2-dev)" "$libraries"
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
