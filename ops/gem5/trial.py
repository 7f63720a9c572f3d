"""Tries something in a copy of this process: much of what gem5 refuses, it refuses by ending the process."""
import json
import os
import re

MESSAGE = re.compile(rb"(?:fatal|panic): (.+)")
MOST = 1 << 16


def attempt(action, folder):
    """Runs `action` in a child and returns (its result, None) or (None, why it failed).

    The result must be what JSON can hold; an exception's text, gem5's fatal or panic message or the child's signal is
    the reason. The child's own messages go to a file in `folder` which is removed.
    """
    reading, writing = os.pipe()
    path = os.path.join(folder, "trial-%d.log" % os.getpid())
    log = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.unlink(path)
    child = os.fork()
    if child == 0:
        run_child(action, reading, writing, log)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        text = file.read()
    status = os.waitpid(child, 0)[1]
    said = os.pread(log, MOST, max(0, os.fstat(log).st_size - MOST))
    os.close(log)
    if text:
        answer = json.loads(text)
        return (answer["result"], None) if "result" in answer else (None, answer["error"])
    return None, reason(said, status)


def run_child(action, reading, writing, log):
    """Never returns: what the parent would do at its end must not happen twice."""
    os.close(reading)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        answer = {"result": action()}
    except BaseException as error:  # pylint: disable=broad-except
        text = str(error).strip()
        answer = {"error": text.splitlines()[-1] if text else type(error).__name__}
    os.write(writing, json.dumps(answer).encode())
    os._exit(0)


def reason(said, status):
    found = MESSAGE.findall(said)
    if found:
        return found[0].decode(errors="replace").strip()
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    how = "signal %d" % (status & 127) if status & 127 else "status %d" % (status >> 8)
    return "gem5 ended with %s%s" % (how, ": " + lines[-1].strip() if lines else "")
