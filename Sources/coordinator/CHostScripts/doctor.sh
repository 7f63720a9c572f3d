# Examines a host: see HostExamination.swift. What engines ask of their programs stands in front of it, as the function
# examine_engine, for $program, which can be executed, of the engine $name. It reads the folder, the digest of the agent,
# and a line for each engine.
IFS= read -r folder && IFS= read -r agent || exit 1
folder=$(expanded "$folder")
say shell "$SHELL"
say workdir "$folder"
say processors "$(nproc)"
say clock "$(date +%s)"
say cores "$(cat /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list 2>/dev/null | sort -u | wc -l)"
read -r load _ </proc/loadavg && say load "$load"
while read -r key value _; do
    case $key in MemTotal:) say memory "$value" ;; esac
done </proc/meminfo

# What agents of other users announce, where its owner holds the lock.
sharers=0
for file in /tmp/usweep-slots-*; do
    [ -f "$file" ] && [ ! -O "$file" ] || continue
    grep -q ":$(stat -c %i "$file") " /proc/locks || continue
    sharers=$((sharers + 1))
    say "sharer-$sharers" "$(stat -c %U "$file") $(sed -n 's/^running \([0-9]*\)$/\1/p' "$file" | head -n 1)"
done

# What of the working folder is there already.
there=$folder
until [ -e "$there" ]; do
    case $there in
    /*/*) there=${there%/*} ;;
    /*) there=/ ;;
    */*) there=${there%/*} ;;
    *) there=. ;;
    esac
done
say filesystem "$(stat -f -c %T "$there")"
say kind "$(stat -f -c %t "$there")"
say local "$(free_room -Pk /var/tmp)"
say free "$(free_room -Pk "$there")"
say inodes "$(free_room -Pi "$there")"
# Permissions do not tell all: on some file systems nobody can make a folder.
trial=$there/.usweep-doctor-$$
if said=$(LC_ALL=C mkdir "$trial" 2>&1); then
    rmdir "$trial"
    said=yes
fi
[ -d "$there" ] || said="$there is not a folder"
say writable "${said##*: }"
case ,$(findmnt -n -o OPTIONS -T "$there" 2>/dev/null), in *,noexec,*) say noexec yes ;; esac
if [ -w /dev/kvm ]; then say kvm yes; fi

# What the agent of this version would refuse to begin with, in its own words, if it is here. In a folder that others
# may write to, anything may have its name.
agent=$folder/bin/usweep-agent-$agent
if [ -x "$agent" ] && has_digest "$agent" "${agent##*-}"; then
    "$agent" journals --workdir "$(runs_folder "$folder")" 2>/dev/null </dev/null |
        while IFS= read -r line; do say journal "$line"; done
fi

while IFS='=' read -r name program && [ "$name" != end ]; do
    program=$(expanded "$program")
    if [ -x "$program" ]; then examine_engine; fi
done

# A process that is left behind: whether it is still there once the login has ended is asked by survived.sh.
if command -v setsid >/dev/null; then
    # shellcheck disable=SC2016 # The inner shell's own number.
    say detached "$(setsid sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1 </dev/null' &)"
fi
say end
