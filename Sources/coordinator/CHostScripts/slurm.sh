# Says what can be said of a Slurm cluster without submitting anything: see SlurmExamination.swift.
finish() {
    say end
    exit 0
}
one_line() { printf %s "$1" | tr '\n' ';'; }

command -v sbatch >/dev/null || finish
if ! version=$(sbatch --version 2>&1); then
    say broken "$(one_line "$version")"
    finish
fi
say version "$version"
if help=$(srun --help 2>&1); then
    case $help in *--overlap*) say overlap yes ;; *) say overlap no ;; esac
fi

# Those that the inventory names, or else the cluster's own.
asked=
while IFS= read -r line && [ "$line" != end ]; do asked="$asked $line "; done
scontrol --oneliner show partition 2>/dev/null | while IFS= read -r line; do
    name=
    is_default=
    limit=
    for word in $line; do
        case $word in
        PartitionName=*) name=${word#*=} ;;
        Default=YES) is_default=1 ;;
        MaxTime=*) limit=${word#*=} ;;
        esac
    done
    case $asked in
    "") if [ -n "$is_default" ]; then say "partition-$name" "$limit"; fi ;;
    *" $name "*) say "partition-$name" "$limit" ;;
    esac
done

# The options with which a job would be submitted.
set --
while IFS= read -r option && [ "$option" != end ]; do set -- "$@" "$option"; done
said=$(printf '#!/bin/sh\n' | sbatch --test-only --chdir=/ "$@" 2>&1)
say accepted $?
say tried "$(one_line "$said")"
finish
