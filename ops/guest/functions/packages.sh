# Debian's packages, without root; ops/guest/functions/build reads this file. It expects cache (an absolute path).
# shellcheck shell=bash disable=SC2154,SC2086,SC2068

say() { printf 'workloads: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null ||
            fail "the program $program is missing: install Debian's package $program (ops/install workloads)"
    done
}

# What the programs that build are taken from, by what they are for. These are used where they are installed, and
# downloaded and unpacked in the cache where they are not.
declare -A tools=(
    [go]='golang-go golang-google-grpc-dev golang-goprotobuf-dev golang-github-bradfitz-gomemcache-dev
        golang-gopkg-redis.v5-dev protobuf-compiler'
    [protoc]='protobuf-compiler'
    [rust]='cargo rustc librust-h2-dev librust-tokio-dev librust-http-dev librust-bytes-dev'
    [java]='openjdk-17-jdk-headless protobuf-compiler'
    [nghttp2]='libnghttp2-dev'
)

# What an image's base layer holds. These are always downloaded, so that an image does not depend on the machine.
declare -A contents=(
    [python]='libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libffi8 libssl3 libc-ares2 libre2-9 libabsl20220623
        libprotobuf32 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib python3-grpcio python3-protobuf
        python3-six python3-pkg-resources'
    [nodejs]='libc6 libgcc-s1 libstdc++6 zlib1g libssl3 libc-ares2 libbrotli1 libicu72 libnghttp2-14 libuv1 nodejs
        libnode108 node-acorn node-cjs-module-lexer node-undici'
    [numpy]='python3-numpy libblas3 liblapack3 libgfortran5 libquadmath0'
    [java]='libc6 libgcc-s1 libstdc++6 zlib1g openjdk-17-jre-headless libgrpc-java libnetty-java libguava-java
        libperfmark-java libopencensus-java libprotobuf-java libjsr305-java'
    [redis]='libc6 libgcc-s1 libstdc++6 libatomic1 libjemalloc2 liblzf1 libssl3 libsystemd0 libcap2 libgcrypt20
        libgpg-error0 liblzma5 libzstd1 liblz4-1 liblua5.1-0 lua-bitop lua-cjson libhiredis0.14 redis-tools
        redis-server'
    [memcached]='libc6 libevent-2.1-7 libsasl2-2 libdb5.3 libssl3 memcached'
)

declare -A candidates=()

# look_up PACKAGE...: their newest versions, in candidates. Node.js may be known to apt from elsewhere, too: Debian's is
# the one that has its library's version.
look_up() {
    local package version
    while read -r package version; do candidates[$package]=$version; done < <(LC_ALL=C apt-cache policy "$@" |
        awk '/^[^ ]/ { sub(":$", "", $1); package = $1 } /^ *Candidate:/ && $2 != "(none)" { print package, $2 }')
    [ -z "${candidates[libnode108]:-}" ] || candidates[nodejs]=${candidates[libnode108]}
}

version_of() {
    [ "${#candidates[@]}" -gt 0 ] || look_up ${tools[@]} ${contents[@]}
    [ -n "${candidates[$1]:-}" ] || look_up "$1"
    [ -n "${candidates[$1]:-}" ] || fail "apt does not know the package $1: is its list fresh (apt-get update)?"
    version=${candidates[$1]}
}

# package_versions GROUP...: one line a package, so that another version makes another image.
package_versions() {
    local group package version
    for group in "$@"; do
        for package in ${tools[$group]:-} ${contents[$group]:-}; do
            version_of "$package"
            echo "$package $version"
        done
    done
}

# download PACKAGE...: prints the file of each, in the cache.
download() {
    local package version file
    mkdir -p "$cache/packages"
    look_up "$@"
    for package in "$@"; do
        version_of "$package"
        file=$cache/packages/${package}_${version//:/%3a}
        if ! compgen -G "${file}_*.deb" >/dev/null; then
            (cd "$cache/packages" && apt-get download "$package=$version" >download.log 2>&1) ||
                fail "cannot download $package (see $cache/packages/download.log); is apt's list of packages fresh?"
        fi
        ls "${file}"_*.deb
    done
}

# unpack ROOT FILE...: as a system would have them, with /usr merged.
unpack() {
    local root=$1 file
    shift
    mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
    for file in bin sbin lib lib64; do [ -e "$root/$file" ] || ln -s "usr/$file" "$root/$file"; done
    for file in "$@"; do dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink -C "$root"; done
}

# find_tools GROUP: the programs that build are in PATH, and tree says where their packages lie (nothing: installed).
find_tools() {
    local missing files kept
    [ "${found:-}" != "$1" ] || return 0
    found=$1
    missing=$(LC_ALL=C apt-get -s --no-install-recommends install ${tools[$1]} | sed -n 's/^Inst \([^ ]*\) .*/\1/p' |
        LC_ALL=C sort) || fail "apt cannot tell what ${tools[$1]} need; is its list fresh (apt-get update)?"
    tree=
    [ -n "$missing" ] || return 0
    files=$(download $missing)
    kept=$cache/tools/$1-$(echo "$files" | sha256sum | cut -c 1-16)
    if [ ! -d "$kept" ]; then
        say "unpacking the tools: $1"
        rm -rf "$cache/tools/$1"-*
        unpack "$kept.new" $files
        # Links to files of the same packages lead out of the tree otherwise.
        find "$kept.new" -type l -lname '/*' -printf '%p\n%l\n' | while read -r link && read -r file; do
            [ ! -e "$kept.new$file" ] || ln -sfn "$kept$file" "$link"
        done
        mv "$kept.new" "$kept"
    fi
    tree=$kept
    export PATH="$tree/usr/bin:$PATH" LD_LIBRARY_PATH="$tree/usr/lib/x86_64-linux-gnu"
}
