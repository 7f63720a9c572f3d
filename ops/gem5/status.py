"""What a run says about itself: one JSON object a line in `status.jsonl`, in the order things happened."""
import json
import os
import time

REFUSED = 3  # exit status: nothing was simulated
FAILED = 4  # exit status: the simulation went wrong
DONE = {"workend": 0, "tight": 0, "checkpoint": 0, "bind": 0, "kvm": 0}  # causes of an end that is a success


class Refused(Exception):
    """The run cannot be what was asked for. Raised before anything is simulated; `cause` goes into the end event."""

    def __init__(self, cause, message):
        super().__init__(message)
        self.cause = cause


class Status:
    """Appends events to a file; each with one write, so that a reader never sees half a line."""

    def __init__(self, folder, name="status.jsonl"):
        path = os.path.join(folder, name)
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def say(self, event, **fields):
        self.line(dict(event=event, **fields))

    def start(self, mode, system, version):
        self.line({"event": "start", "mode": mode, "system": system, "gem5": version, "wall": time.time()})

    def timed(self, event, tick, **fields):
        """An event of the simulation: `tick` is simulated time, `wall` the host's, in seconds."""
        self.line(dict(event=event, **fields, tick=tick, wall=time.time()))

    def line(self, fields):
        data = (json.dumps(fields, separators=(",", ":")) + "\n").encode()
        if os.write(self.file, data) != len(data):
            raise OSError("the status file takes no more lines: is the disk full?")
