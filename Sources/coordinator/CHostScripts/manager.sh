# Leaves a process behind as the agent is started where what a login leaves is killed: see Survival of AgentRuntime.
[ -n "$XDG_RUNTIME_DIR" ] || XDG_RUNTIME_DIR=/run/user/$(id -u)
export XDG_RUNTIME_DIR
say linger "$(loginctl show-user "$(id -un)" -p Linger 2>/dev/null)"
# shellcheck disable=SC2016 # The inner shell's own number.
say detached "$(setsid systemd-run --user --scope --quiet -- \
    sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1 </dev/null' 2>/dev/null &)"
