# Looks at a host's working folder and empties it: see HostUse.swift. It names what it deletes, so that a folder with
# other things in it keeps these.
umask 077
finish() {
    say end
    exit 0
}
refuse() {
    say refused "$*"
    finish
}

# The mode is look, clean or all; the digest that of the agent that this program brings.
IFS= read -r named_folder && IFS= read -r mode && IFS= read -r digest || exit 1
sweeps=" "
while IFS= read -r line && [ "$line" != end ]; do sweeps="$sweeps$line "; done
folder=$(expanded "$named_folder")
runs=$(runs_folder "$folder")
own=usweep-$(id -u)
[ -d "$folder" ] || finish

# Whether $1 is a sweep's full name: letters, digits, `.`, `_`, `-`, with an identifier at its end.
is_sweep() {
    [ "$(printf %s "$1" | tr -cd "A-Za-z0-9._-")" = "$1" ] || return 1
    case $1 in *-????????) return 0 ;; *) return 1 ;; esac
}
is_asked_for() { case $sweeps in *" $1 "*) return 0 ;; *) return 1 ;; esac }
kib() {
    du -sk "$@" 2>/dev/null | {
        total=0
        while read -r count _; do total=$((total + count)); done
        echo $total
    }
}

sockets=/tmp/$own/$(short_name "$runs")
if ! mine "/tmp/$own" || ! mine "$sockets"; then sockets=; fi
# The marks of an agent, by which a working folder is known.
marked=
for file in "$folder/bin/usweep-agent-"* "$runs/agent.journal" "$runs/start.lock"; do
    if [ -f "$file" ]; then marked=1; fi
done
[ -n "$marked" ] || finish
[ -O "$folder" ] && [ -O "$runs" ] || refuse "the folder $folder belongs to another user"
for file in "$runs/recent" "$runs/"*/ledger.sqlite; do
    if [ -e "$file" ]; then refuse "$runs is an artifacts folder"; fi
done
for file in "$folder/bin" "$runs/attempts" "$runs/objects"; do
    if [ -e "$file" ] || [ -L "$file" ]; then
        mine "$file" || refuse "$file is a symbolic link, or belongs to another user"
    fi
done
if [ -L "$runs/start.lock" ]; then refuse "$runs/start.lock is a symbolic link"; fi

# Whether $1 is a program that another machine may run: where they see the folder, all that were in use in the last week.
is_spared() {
    if [ "$runs" = "$folder" ] && [ ! -e "$folder/.usweep-shared" ]; then return 1; fi
    [ -n "$(find "$1" -mtime -7 2>/dev/null)" ]
}

# Finds the processes of agents, and of what these run of themselves; the names of their files; one of these files.
bin=$(cd "$folder/bin" 2>/dev/null && pwd -P)
find_agents() {
    processes=
    programs=" "
    for entry in /proc/[0-9]*; do
        target=$(readlink "$entry/exe" 2>/dev/null) || continue
        case $target in
        "$bin/usweep-agent-"*)
            target=${target##*/}
            target=${target%% *}
            agent=$bin/$target
            processes="$processes ${entry#/proc/}"
            programs="$programs$target "
            ;;
        esac
    done
}
# Whether a program is one that runs, or the one named $2.
is_kept() { case "$programs $2 " in *" ${1##*/} "*) return 0 ;; *) return 1 ;; esac }

# An agent that has nothing to do leaves, and none begins as long as the lock is held.
locked_out=
stop_agents() {
    if command -v flock >/dev/null && [ -w "$runs" ]; then
        exec 9>>"$runs/start.lock"
        flock -w 20 9 || locked_out=1
    fi
    find_agents
    if [ -n "$processes" ] && timeout 60 "$agent" stop --if-idle --workdir "$folder" >/dev/null 2>&1 </dev/null; then
        tries=0
        while [ -n "$processes" ] && [ $tries -lt 10 ]; do
            sleep 1
            tries=$((tries + 1))
            find_agents
        done
    fi
}

remove_programs() {
    kept=usweep-agent-$digest
    if [ "$mode" = all ]; then kept=; fi
    for file in "$folder/bin/usweep-agent-"*; do
        is_kept "$file" "$kept" || is_spared "$file" || rm -f "$file"
    done
    find "$folder/bin" -name "part-*" -mtime +1 -exec rm -f {} + 2>/dev/null
}

# Whether the folder of a sweep, by its name, stays.
stays() { if [ "$mode" = all ]; then ! is_sweep "$1"; else ! is_asked_for "$1"; fi; }

remove_runs() {
    staying=
    for file in "$runs/attempts/"*; do
        if [ -d "$file" ] && stays "${file##*/}"; then staying=1; fi
    done
    # Journals first, where no sweep stays: an agent that finds folders without one deletes them.
    if [ -z "$staying" ]; then
        for name in agent supervisor; do
            for kind in journal journal.new lock log sock; do rm -f "$runs/$name.$kind"; done
        done
        rm -f "$runs/"setup-[0-9]*-[0-9]*.txt
    fi
    for file in "$runs/attempts/"*; do
        if mine "$file" && is_sweep "${file##*/}" && ! stays "${file##*/}"; then rm -rf "$file"; fi
    done
    rm -rf "$runs/objects" "$runs/attempts/.trash"
}

remove_folder() {
    if [ "$runs" = "$folder" ]; then
        rm -f "$runs/.usweep-machine" "$runs/.usweep-shared" "$folder/bin/part-"*
    fi
    rmdir "$folder/bin" "$runs/attempts" 2>/dev/null
    if [ -n "$sockets" ]; then
        rm -f "$sockets/agent.sock" "$sockets/supervisor.sock"
        rmdir "$sockets" 2>/dev/null
    fi
    # The lock last: by it the folder is known where all of this is typed again.
    rm -f "$runs/start.lock"
    rmdir "$runs" "$folder" "/var/tmp/$own" "/tmp/$own" 2>/dev/null
}

find_agents
if [ "$mode" != look ]; then
    stop_agents
    remove_programs
    if [ -z "$processes$locked_out" ]; then
        remove_runs
        if [ "$mode" = all ]; then remove_folder; fi
    fi
fi

say root "$runs"
if [ -z "$processes$locked_out" ]; then say busy no; else say busy yes; fi
old=0
for file in "$folder/bin/usweep-agent-"*; do
    is_kept "$file" "usweep-agent-$digest" || is_spared "$file" || old=$((old + $(kib "$file")))
done
say agents "$(kib "$folder/bin")"
say old $old
say objects "$(kib "$runs/objects")"
for file in "$runs/attempts/"*; do
    if mine "$file" && is_sweep "${file##*/}"; then say sweep "$(kib "$file")" "${file##*/}"; fi
done
total=$(kib "$folder")
if [ "$runs" != "$folder" ]; then total=$((total + $(kib "$runs"))); fi
say total $total
say free "$(free_room -Pk "$folder")"
finish
