"""Whether a guest that says nothing still lives: looked at between short slices of simulated time.

A slow run and a hung one look alike from outside. Here they differ: a guest that works commits instructions; one that
waits for something that never comes commits next to none, however much time is simulated; a kernel that panicked says
so on its terminal, and is simulated for ever.
"""
import time

SLICE = 10**9  # ticks: 1 ms of simulated time. The same for all runs, as a slice's end is an event like others.
PAUSE = 10  # seconds between two lines
PANIC = b"Kernel panic - not syncing"
# A guest that only takes its timer's interrupts commits some thousand instructions in a million cycles.
IDLE = 0.01


class Pulse:
    """`cores` are all cores of all machines, `cycle` is the ticks of one cycle, each machine has a terminal's file."""

    def __init__(self, status, cores, cycle, terminals, clock=time.monotonic):
        self.status, self.cores, self.cycle, self.clock = status, cores, cycle, clock
        self.seen = {terminal: 0 for terminal in terminals}
        self.said, self.tick, self.instructions, self.idle = clock(), 0, 0, False
        self.phase = ""

    def has_panicked(self):
        """Reads what the terminals got since the last time."""
        return any(PANIC in self.news(terminal) for terminal in self.seen)

    def news(self, terminal):
        try:
            with open(terminal, "rb") as file:
                start = max(0, self.seen[terminal] - len(PANIC))
                file.seek(start)
                text = file.read()
        except FileNotFoundError:
            return b""
        self.seen[terminal] = start + len(text)
        return text

    def beat(self, tick):
        """To be called after each slice. A line is progress; an idle guest gets one, and then no more."""
        if self.clock() - self.said < PAUSE:
            return
        instructions = sum(core.totalInsts() for core in self.cores)
        cycles = max(1, (tick - self.tick) // self.cycle)
        idle = abs(instructions - self.instructions) < IDLE * cycles
        if not (idle and self.idle):
            self.status.timed("idle" if idle else "progress", tick, phase=self.phase, instructions=instructions)
        self.said, self.tick, self.instructions, self.idle = self.clock(), tick, instructions, idle
