# Brings the agent, and becomes it: the host's part of the dialogue that Bootstrap.swift describes.
umask 077
fail() {
    echo "usweep-failed $*"
    exit 1
}

IFS= read -r folder && IFS= read -r digest && IFS= read -r verb || exit 1
folder=$(expanded "$folder")
said=$(LC_ALL=C mkdir -p "$folder/bin" 2>&1) ||
    fail "the working folder $folder cannot be created: ${said##*: }; name another workdir in the inventory"
agent=$folder/bin/usweep-agent-$digest

# Parts bear the name of the machine and the number of the process: hosts with a shared home keep apart.
parts=$folder/bin/part
here=$(uname -n)-$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
part=$parts-$digest-$here-$$

full() {
    rm -f "$part".*
    fail "the agent cannot be written to $folder (disk or quota full?); free space, or name another workdir in the inventory"
}

# Goes on with the longest part that an earlier try has left, and removes those that nobody writes any more.
take_over() {
    for form in raw gzip; do
        true >"$part.$form" || full
        for left in "$parts-$digest-$here-"*".$form"; do
            if [ "$(size "$left")" -gt "$(size "$part.$form")" ]; then cp "$left" "$part.$form"; fi
        done
    done
    for left in "$parts-"*"-$here-"*; do
        process=${left##*-}
        kill -0 "${process%.*}" 2>/dev/null || rm -f "$left"
    done
    find "$folder/bin" -name "part-*" -mtime +1 -exec rm -f {} + 2>/dev/null
}

receive() {
    raw=$(size "$part.raw")
    gzip=$(size "$part.gzip")
    if command -v gzip >/dev/null; then echo "usweep-need $raw $gzip"; else echo "usweep-need $raw -"; fi
    while read -r word form count; do
        case $word in
        put)
            head -c "$count" >>"$part.$form" || full
            # Counted here: a process for each piece would take longer than the piece.
            if [ "$form" = gzip ]; then at=$((gzip += count)); else at=$((raw += count)); fi
            echo "usweep-at $form $at"
            ;;
        done) break ;;
        esac
    done
    [ "$word" = "done" ] || exit 1
}

publish() {
    made=$part.agent
    if [ "$form" = gzip ]; then gzip -dc <"$part.gzip" >"$made"; else mv "$part.raw" "$made"; fi 2>/dev/null
    has_digest "$made" "$digest" || {
        rm -f "$part".*
        fail "the agent arrived damaged (or the disk is full)"
    }
    rm -f "$part.raw" "$part.gzip"
    chmod 700 "$made"
    "$made" version >/dev/null 2>&1 || {
        rm -f "$made"
        fail "programs cannot run from $folder (mounted noexec?): give the host another workdir"
    }
    # A file that another machine runs from a shared folder must not be replaced: that kills what runs.
    if ln "$made" "$agent" 2>/dev/null || { [ -x "$agent" ] && has_digest "$agent" "$digest"; }; then
        rm -f "$made"
    else
        mv -f "$made" "$agent" || fail "the agent cannot be put into $folder/bin"
    fi
}

if [ -x "$agent" ] && has_digest "$agent" "$digest"; then
    echo usweep-have
else
    take_over
    receive
    publish
fi
# By that `usweep clean` knows that it is in use, also on another machine that sees this folder.
touch "$agent" 2>/dev/null
exec "$agent" "$verb" --workdir "$folder"
