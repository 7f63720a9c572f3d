# What every script that usweep runs on a host begins with. Data comes by standard input, never as part of a script.

# Gives an answer: a name, and perhaps a value.
say() { echo "usweep-says $*"; }

# Prints the folder that an inventory means by $1, in which ~ is the home.
expanded() {
    # shellcheck disable=SC2088
    case $1 in
    "~") printf '%s\n' "$HOME" ;;
    "~/"*) printf '%s\n' "$HOME/${1#??}" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

# Whether $1 is a folder of this user's, and no symbolic link to one.
mine() { [ ! -L "$1" ] && [ -d "$1" ] && [ -O "$1" ]; }

# Prints the name that the working folder $1 has where it is one of several: as Workdir of AgentRuntime makes it.
short_name() {
    hash=$(printf %s "$1" | sha256sum)
    printf '%.12s\n' "$hash"
}

# Prints the folder with the runs and objects of the working folder $1. Where that is on a file system that other
# machines share, the agent works in one of these.
runs_folder() {
    found=$1
    for base in /var/tmp /tmp; do
        base=$base/usweep-$(id -u)
        folder=$base/$(short_name "$1")
        if mine "$base" && mine "$folder" && mine "$folder/attempts"; then found=$folder; fi
    done
    printf '%s\n' "$found"
}

# Whether the file $1 has the SHA-256 $2. openssl, where there is one, uses the processor's own instructions for it.
has_digest() {
    case $(openssl dgst -sha256 -r <"$1" 2>/dev/null) in "$2 "*) return 0 ;; esac
    case $(sha256sum <"$1") in "$2 "*) return 0 ;; esac
    return 1
}

# Prints the size of a file in bytes.
size() { wc -c <"$1"; }

# Prints how much is free where $2 is: KiB with the option -Pk as $1, files with -Pi. Of file systems that have no such
# limit, df says that there are 0 in all, or `-`: nothing is printed.
free_room() {
    df "$1" "$2" 2>/dev/null | {
        read -r _
        read -r _ all _ left _
        if [ "${all:-0}" -gt 0 ] 2>/dev/null; then echo "$left"; fi
    }
}
