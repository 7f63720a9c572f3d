# Base layers, shared by the images of a runtime; ops/guest/functions/build reads this file.
# shellcheck shell=bash disable=SC2154,SC2086

# What is the same in an image whenever it is made.
fixed=(--history.created 1970-01-01T00:00:00Z)

# insert_layer LAYOUT FOLDER: a layer of that folder's files, all of root and without a time.
insert_layer() {
    find "$2" -exec touch -h -d @0 {} +
    umoci insert --rootless "${fixed[@]}" --image "$1:latest" "$2" /
}

# Where a container's file systems are mounted, and the names that programs look up.
make_skeleton() {
    mkdir -p "$1"/{dev,etc,proc,run,sys,tmp}
    chmod 1777 "$1/tmp"
    echo 'root:x:0:0:root:/:/bin/false' >"$1/etc/passwd"
    echo 'root:x:0:' >"$1/etc/group"
    echo '127.0.0.1 localhost' >"$1/etc/hosts"
    echo 'hosts: files' >"$1/etc/nsswitch.conf"
}

drop_documentation() {
    rm -rf "$1"/usr/share/{doc,man,locale,lintian,info,bug,applications,pixmaps,doc-base,gdb,bash-completion}
    rm -rf "$1"/usr/lib/x86_64-linux-gnu/{gconv,perl*} "$1"/usr/include "$1"/etc/{init.d,default,logrotate.d}
    find "$1" -depth -type d -empty -path "$1/usr/*" -delete
}

run_in() {
    local root=$1
    shift
    env -i PYTHONHASHSEED=0 PYTHONHOME="$root/usr" LC_ALL=C "$root/usr/lib64/ld-linux-x86-64.so.2" \
        --library-path "$root/usr/lib/x86_64-linux-gnu" "$root$1" "${@:2}"
}

# Modules are compiled beforehand: a container's root may be read-only, and starting would take twice as long.
finish_python() {
    rm -rf "$1"/usr/lib/python3*/{test,idlelib,lib2to3,tkinter,turtledemo,ensurepip,distutils/tests,unittest/test}
    ln -sf python3.11 "$1/usr/bin/python3"
    compile_python "$1" "$1/usr/lib/python3.11"
    compile_python "$1" "$1/usr/lib/python3"
}

# Debian selects these libraries when it installs them.
finish_numpy() {
    ln -s blas/libblas.so.3 "$1/usr/lib/x86_64-linux-gnu/libblas.so.3"
    ln -s lapack/liblapack.so.3 "$1/usr/lib/x86_64-linux-gnu/liblapack.so.3"
    find "$1/usr/lib/python3/dist-packages" -depth -type d \( -name tests -o -name f2py \) -exec rm -r {} +
    compile_python "$1" "$1/usr/lib/python3"
}

# V8 was built to tell Valgrind when it changes code, by instructions that do nothing on a processor: four rotations and
# `xchg %rbx,%rbx`. gem5 (XCHG_R_R of 24.0) exchanges by three XORs, which set a register to zero that is exchanged with
# itself, and Node.js dies. A `nop` of the same length takes its place; Valgrind alone could tell.
finish_nodejs() {
    python3 - "$1"/usr/lib/x86_64-linux-gnu/libnode.so.* <<'PYTHON'
import sys
rotations = bytes.fromhex("48c1c703 48c1c70d 48c1c73d 48c1c733")
exchange, nop = rotations + bytes.fromhex("4887db"), rotations + bytes.fromhex("0f1f00")
for path in sys.argv[1:]:
    with open(path, "r+b") as file:
        code = file.read()
        if exchange not in code:
            sys.exit(f"{path}: it does not ask for Valgrind as expected: does this Node.js need the change for gem5?")
        file.seek(0)
        file.write(code.replace(exchange, nop))
PYTHON
}

# What servers do not need.
finish_java() {
    rm -f "$1"/usr/share/java/{netty-all,perfmark-[tj]}*.jar
    rm -rf "$1"/usr/share/{maven-repo,binfmts} "$1"/usr/lib/jvm/java-17-openjdk-amd64/jmods
    find "$1/usr/share/java" -type l -delete
}

# compile_python ROOT FOLDER: a folder below that root, by the Python of the layer.
compile_python() {
    run_in "$(ls -d "$cache"/layers/python-*.root)" /usr/bin/python3.11 -I -B -m compileall -q -f -s "$1" -p / \
        --invalidation-mode unchecked-hash "$2"
}

# Which layer another lies on, if it is not the one that has nothing but the folders to mount on.
declare -A parents=([numpy]=python)

# make_base RUNTIME: puts the folder of that layer in layer (an OCI layout; its own files are in layer.root).
make_base() {
    local runtime=$1 files='' parent=''
    if [ "$runtime" != none ]; then
        make_base "${parents[$runtime]:-none}"
        parent=$layer
        files=$(download ${contents[$runtime]})
    fi
    layer=$cache/layers/$runtime-$({
        echo "${parent##*/}"
        echo "$files" | sed 's|.*/||'
        cat $functions/layers.sh
    } | sha256sum | cut -c 1-16)
    [ -d "$layer" ] || make_layer
}

make_layer() {
    local work=$layer.root
    say "layer $runtime"
    rm -rf "$cache/layers/$runtime"-*
    mkdir -p "$work"
    if [ "$runtime" = none ]; then
        make_skeleton "$work"
        umoci init --layout "$layer.new"
        umoci new --image "$layer.new:latest"
    else
        cp -al "$parent" "$layer.new"
        unpack "$work" $files
        drop_documentation "$work"
    fi
    if declare -F "finish_$runtime" >/dev/null; then "finish_$runtime" "$work"; fi
    insert_layer "$layer.new" "$work"
    umoci gc --layout "$layer.new" >/dev/null
    mv "$layer.new" "$layer"
}

# base RUNTIME: begins the image with that runtime's layer.
base() {
    make_base "$1"
    cp -al "$layer" "$made/image"
}
