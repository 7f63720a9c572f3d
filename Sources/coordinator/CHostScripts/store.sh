# Serves a common store of checkpoints: the host's part of the dialogue that CommonStoreStream.swift describes.
fail() {
    echo "usweep-failed $*"
    exit 1
}

IFS= read -r folder || exit 1
[ -d "$folder" ] || fail "there is no folder $folder; make it there: install -d -m 2770 -g GROUP $folder"
cd "$folder" 2>/dev/null || fail "$folder cannot be read: permission denied"
# What the folder's group may write to, it may have.
case $(ls -ld .) in
?????w*) umask 007 ;;
*) umask 077 ;;
esac
mkdir -p index bundles names used objects/partial objects/maps 2>/dev/null && { true >>lock; } 2>/dev/null ||
    fail "$folder cannot be written: permission denied, or the disk is full"
command -v flock >/dev/null || fail "the program flock is missing there (package util-linux)"
{ command exec 9<>lock; } 2>/dev/null && flock -n -s 9 || fail "checkpoints are being removed from $folder"
temporary=objects/partial/common.$(uname -n).$$

# Sends $1, unless it has more than $2 bytes.
get() {
    bytes=-
    if [ -f "$1" ]; then bytes=$(($(size "$1"))); fi
    if [ "$bytes" != - ] && [ "$bytes" -gt "$2" ]; then bytes=-; fi
    echo "$bytes"
    if [ "$bytes" != - ]; then head -c "$bytes" <"$1"; fi
}

# Takes $2 bytes for $1, which is there whole or not at all.
put() {
    if mkdir -p "${1%/*}" && head -c "$2" >"$temporary" && [ "$(size "$temporary")" -eq "$2" ] &&
        chmod a-w "$temporary" && sync "$temporary" && mv -f "$temporary" "$1" && sync "${1%/*}"; then
        echo "done"
    else
        rm -f "$temporary"
        fail "$folder cannot be written (disk or quota full?)"
    fi
}

echo usweep-ready
while read -r word path number; do
    case $word in
    has) if [ -f "$path" ]; then echo yes; else echo no; fi ;;
    get) get "$path" "$number" ;;
    put) put "$path" "$number" ;;
    doubt)
        has_digest "$path" "$number" || rm -f "$path"
        echo "done"
        ;;
    drop)
        rm -f "$path"
        echo "done"
        ;;
    *) exit 1 ;;
    esac
done
