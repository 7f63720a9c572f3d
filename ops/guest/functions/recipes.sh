# What a recipe may say; ops/guest/functions/build reads this file. A recipe begins with `base RUNTIME`; its function's
# files are gathered in root, and become one layer above that base.
# shellcheck shell=bash disable=SC2154

settings=()

# go_function: the folder's Go program, linked statically, as /function.
go_function() {
    local gopath=$cache/gopath proto
    find_tools go
    if [ -n "$tree" ]; then export GOROOT=$tree/usr/lib/go-1.19; fi
    mkdir -p "$gopath/src/usweep"
    cp -r $functions/lib/go/* "$gopath/src/usweep/"
    for proto in $functions/protos/*.proto; do
        proto=$(basename "$proto" .proto)
        if [ "$functions/protos/$proto.proto" -nt "$gopath/src/usweep/$proto/$proto.pb.go" ]; then
            protoc -I $functions/protos --go_out="plugins=grpc:$gopath/src" "$proto.proto"
        fi
    done
    rm -rf "$gopath/src/usweep/function"
    mkdir "$gopath/src/usweep/function"
    cp "$source"/*.go "$gopath/src/usweep/function/"
    GO111MODULE=off CGO_ENABLED=0 GOFLAGS=-trimpath GOCACHE=$cache/go-build GOPATH=$gopath:$tree/usr/share/gocode \
        go build -ldflags='-s -w -buildid=' -o "$root/function" usweep/function
    entry /function
}

# nodejs_function: the folder's JavaScript, main.js, with the library in lib/nodejs.
nodejs_function() {
    files /function "$source"/*.js* $functions/lib/nodejs/*.js
    entry /usr/bin/node /function/main.js
}

# python_function PROTO...: the folder's Python, main.py, with the library in lib/python and the modules of the protos.
# It is compiled by the image's own Python.
python_function() {
    local proto
    find_tools protoc
    files /function "$source"/*.py $functions/lib/python/*.py
    for proto in "$@"; do protoc -I $functions/protos --python_out="$root/function" "$proto.proto"; done
    compile_python "$root" "$root/function"
    entry /usr/bin/python3.11 /function/main.py
    setting PYTHONHASHSEED=0
    setting PYTHONUNBUFFERED=1
}

# rust_function: the folder's Rust (Cargo.toml, src), with the distribution's crates, linked statically, as /function.
rust_function() {
    local work=$cache/rust
    find_tools rust
    rm -rf "$work/source"
    mkdir -p "$work/source" "$work/home"
    cp -r "$source/Cargo.toml" "$source/src" "$work/source/"
    printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "%s"\n' \
        "$tree/usr/share/cargo/registry" >"$work/home/config.toml"
    (cd "$work/source" && CARGO_HOME=$work/home CARGO_TARGET_DIR=$work/target \
        RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$work=/build --remap-path-prefix=$tree=/" \
        cargo build --release --offline --quiet)
    cp "$work/target/release/function" "$root/function"
    entry /function
}

# java_function PROTO...: the folder's Java, whose class is Main, with the classes of the protos.
java_function() {
    local proto work=$made/java
    find_tools java
    mkdir -p "$work" "$root/function"
    for proto in "$@"; do protoc -I $functions/protos --java_out="$work" "$proto.proto"; done
    cp "$source"/*.java "$work/"
    find "$work" -name '*.java' -print0 | LC_ALL=C sort -z |
        xargs -0 "${tree:-}/usr/lib/jvm/java-17-openjdk-amd64/bin/javac" -encoding UTF-8 -nowarn \
            -cp "$layer.root/usr/share/java/*" -d "$root/function"
    rm -rf "$work"
    # One core: the collector and the compiler of small machines are what Java takes there by itself.
    entry /usr/lib/jvm/java-17-openjdk-amd64/bin/java -XX:+UseSerialGC -Xmx96m -cp '/function:/usr/share/java/*' Main
}

# files FOLDER FILE...: copied into that folder of the image.
files() {
    local folder=$1
    shift
    mkdir -p "$root$folder"
    cp -r "$@" "$root$folder/"
}

# entry ARGUMENT...: the command of the image.
entry() {
    local argument
    for argument in "$@"; do settings+=(--config.entrypoint "$argument"); done
}

# setting KEY=VALUE: an environment variable of the image.
setting() { settings+=(--config.env "$1"); }

# requests NAME [ARGUMENT]...: requests/NAME.py prints them as JSON; the messages are encoded with its .proto.
requests() {
    local name=$1
    shift
    find_tools protoc
    PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 python3 "$functions/requests/$name.py" "$@" >"$made/requests.json"
    python3 $functions/prepare "$made/requests.json" $functions/protos >"$made/requests.calls"
}

finish_image() {
    local port
    port=$(sed -n 's/^port: *//p' "$source/workload.yaml")
    chmod -R u=rwX,go=rX "$root"
    insert_layer "$made/image" "$root"
    umoci config "${fixed[@]}" --created 1970-01-01T00:00:00Z --image "$made/image:latest" "${settings[@]}" \
        --config.exposedports "$port/tcp" --config.env PATH=/usr/bin:/bin
    umoci gc --layout "$made/image" >/dev/null
}
