# Says whether the process that an earlier login left behind still runs, and ends it.
IFS= read -r process || exit 1
if kill -0 "$process" 2>/dev/null; then
    say survived yes
    kill "$process"
fi
