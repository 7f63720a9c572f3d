# Says which checkpoints a host has, whole or in part: see CheckpointHolders.swift. Lines come, `f DIGEST` for each file,
# `p DIGEST` for each object that it is made of, `c` at the end of each checkpoint, and `end`.
IFS= read -r folder || exit 1
objects=$(runs_folder "$(expanded "$folder")")/objects
has() { [ -f "$objects/${1%"${1#??}"}/$1" ]; }

checkpoint=0
files=0
# Of the file that is being looked at: that there is one, whether it is there whole, and whether all of its parts are.
looking=
whole=
parts=
count() {
    case $looking$whole$parts in
    11* | 1yes) files=$((files + 1)) ;;
    esac
    looking=
    whole=
    parts=
}

while IFS= read -r line; do
    digest=${line#? }
    case $line in
    "f "*)
        count
        looking=1
        if has "$digest"; then whole=1; fi
        ;;
    "p "*)
        if [ "$parts" != no ]; then
            if has "$digest"; then parts=yes; else parts=no; fi
        fi
        ;;
    c)
        count
        say "$checkpoint" "$files"
        checkpoint=$((checkpoint + 1))
        files=0
        ;;
    end) break ;;
    esac
done
say end
