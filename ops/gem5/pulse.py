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
    """`cores` are all cores of the system, `cycle` is the ticks of one cycle."""

    def __init__(self, status, cores, cycle, terminal, clock=time.monotonic):
        self.status, self.cores, self.cycle, self.clock = status, cores, cycle, clock
        self.terminal, self.seen = terminal, 0
        self.said, self.tick, self.instructions, self.idle = clock(), 0, 0, False

    def has_panicked(self):
        """Reads what the terminal got since the last time."""
        try:
            with open(self.terminal, "rb") as file:
                start = max(0, self.seen - len(PANIC))
                file.seek(start)
                text = file.read()
        except FileNotFoundError:
            return False
        self.seen = start + len(text)
        return PANIC in text

    def beat(self, tick):
        """To be called after each slice. A line is progress; an idle guest gets one, and then no more."""
        if self.clock() - self.said < PAUSE:
            return
        instructions = sum(core.totalInsts() for core in self.cores)
        cycles = max(1, (tick - self.tick) // self.cycle)
        idle = abs(instructions - self.instructions) < IDLE * cycles
        if not (idle and self.idle):
            self.status.timed("idle" if idle else "progress", tick, instructions=instructions)
        self.said, self.tick, self.instructions, self.idle = self.clock(), tick, instructions, idle
