"""Runs an instantiated system until its mode has what it came for, and says so event by event."""
import atexit

import m5

import guest
import pulse
import record
from arguments import checkpoint_folder

TIGHT = "tight"  # the cause of an end before all invocations were measured
INTERRUPTS = ("user interrupt received",)
LIMIT = "simulate() limit reached"
FAIL, WORK_BEGIN, WORK_END, GUEST_EXIT = (
    "m5_fail instruction encountered", "workbegin", "workend", "m5_exit instruction encountered")
LOST = {guest.WRONG_ANSWER: ("wrong-answer", "the function gave a wrong answer; the terminal's file says which"),
        guest.FUNCTION_LOST: ("guest-exit", "the function was lost; the terminal's file says how"),
        guest.NO_CONTAINER: ("guest-exit", "the container could not be started; the terminal's file says why"),
        guest.NO_NETWORK: ("guest-exit", "a machine got no network; its terminal's file says why"),
        guest.STOPPED: ("guest-exit", "the container was stopped before the run was done"),
        guest.CLIENT_STOPS: ("guest-exit", "the invoker ended before the run was done"),
        guest.END: ("guest-exit", "the guest's script ended before the run was done")}


class End(Exception):
    """The simulation is over: its cause (of DONE, if it went well), gem5's code, and a message if there is one."""

    def __init__(self, cause, code=0, message=None):
        super().__init__(message or cause)
        self.cause, self.code, self.message = cause, code, message


class Run:
    """Common to both modes: the loop over gem5's exit events. Without a pulse nobody asks whether the guest lives."""

    def __init__(self, system, arguments, status, heart=None):
        self.system, self.arguments, self.status = system, arguments, status
        self.begun = self.ended = 0
        self.pulse = heart

    def phase(self, name):
        self.status.timed("phase", m5.curTick(), phase=name)
        if self.pulse:
            self.pulse.phase = name

    def simulate(self, ticks=None):
        event = self.slices() if ticks is None else m5.simulate(ticks)
        # gem5 dumps statistics at its end, which would be a block that nobody measured.
        atexit.unregister(m5.stats.dump)
        if event.getCause() in INTERRUPTS:
            raise End("interrupted", event.getCode())
        return event

    def slices(self):
        """Simulates to the next event of the guest's, looking between slices whether it still lives."""
        if not self.pulse:
            return m5.simulate()
        while True:
            event = m5.simulate(pulse.SLICE)
            if event.getCause() != LIMIT:
                return event
            if self.pulse.has_panicked():
                raise End("guest-panic", 0, "the guest's kernel panicked; the terminal's file says why")
            self.pulse.beat(m5.curTick())

    def run(self):
        """Raises End, always."""
        self.start()
        while True:
            event = self.simulate()
            cause, code = event.getCause(), event.getCode()
            if cause == FAIL:
                self.mark(code - (1 << 32) if code >= 1 << 31 else code)
            elif cause == WORK_BEGIN:
                self.begin()
            elif cause == WORK_END:
                self.end()
            elif cause == GUEST_EXIT:
                raise End("guest-exit", code, "the guest's script ended before the run was done")
            else:
                raise End(cause, code)

    def start(self):
        raise NotImplementedError

    def mark(self, code):
        if code in LOST:
            cause, message = LOST[code]
            raise End(cause, code, message)

    def begin(self):
        """An invocation begins; those made before the checkpoint are not marked."""

    def end(self):
        """An invocation has ended."""


class Setup(Run):
    """Boots, or goes on from a booted guest, and ends when the warmed function's checkpoint is taken. `write` makes the
    checkpoint's record."""

    def __init__(self, system, arguments, status, write, heart=None):
        super().__init__(system, arguments, status, heart)
        self.write = write

    def start(self):
        self.phase(guest.PHASES[guest.BOOTED] if self.arguments.booted else "boot")

    def mark(self, code):
        super().mark(code)
        if code in guest.PHASES and not (code == guest.BOOTED and self.arguments.booted):
            self.phase(guest.PHASES[code])
        if code == guest.BOOTED and self.arguments.take_checkpoints:
            self.checkpoint("boot")
        if code == guest.WARMED:
            self.checkpoint("warm")
            raise End("checkpoint")

    def checkpoint(self, kind):
        self.phase("checkpoint")
        folder = checkpoint_folder(self.arguments, kind)
        record.forget(folder)
        m5.checkpoint(folder)
        self.write(folder, kind)


class Boot(Setup):
    """Ends when all machines are up, with their checkpoint."""

    def __init__(self, system, arguments, status, write, heart=None, machines=1):
        super().__init__(system, arguments, status, write, heart)
        self.missing = machines

    def mark(self, code):
        Run.mark(self, code)
        if code == guest.BOOTED:
            self.missing -= 1
            if not self.missing:
                self.checkpoint("boot")
                raise End("checkpoint")


class Evaluation(Run):
    """Restored: warms with the atomic cores, then measures, a block of statistics an invocation.

    Without `warmers` the measured cores warm themselves. What runs between measured calls, for a state of the function,
    runs on the atomic cores, too. `is_enough` is asked after each measured invocation, with its number.
    """

    def __init__(self, system, warmers, arguments, status, heart=None, is_enough=lambda number: False):
        super().__init__(system, arguments, status, heart)
        self.warmers, self.is_enough = warmers, is_enough
        self.to_warm = arguments.atomic_warming
        self.on_atomic = self.measuring = self.others_ran = False

    def pairs(self):
        return list(zip(self.system.cpu, self.warmers))

    def start(self):
        if not self.to_warm:
            return
        if self.warmers:
            # A core must have started before another can take over from it.
            self.simulate(1)
        self.go_atomic()
        self.phase("warm")

    def go_atomic(self):
        if self.warmers and not self.on_atomic:
            m5.switchCpus(self.system, self.pairs())
            self.on_atomic = True

    def mark(self, code):
        super().mark(code)
        if code == guest.OTHERS:
            self.go_atomic()
            self.others_ran = True

    def prepare_state(self):
        """Whether the guest knows of states shows in its mark alone: an older one would measure warm calls."""
        if self.arguments.state == "warm":
            return
        if not self.others_ran:
            raise End("guest-exit", 0, "the guest ran nothing before the call: it does not know the state %s; make it "
                      "again: ops/guest/build gem5" % self.arguments.state)
        self.others_ran = False
        if self.arguments.state == "cold-caches":
            self.empty()
        self.status.timed("state", m5.curTick(), state=self.arguments.state, number=self.begun + 1)

    def empty(self):
        """Caches are written back first: what they hold is the guest's memory."""
        m5.drain()
        m5.memWriteback(self.system)
        m5.memInvalidate(self.system)
        for core in self.system.cpu:
            core.flushTLBs()

    def begin(self):
        if self.to_warm:
            self.status.timed("invocation-begin", m5.curTick(), number=0)
            return
        if self.on_atomic:
            m5.switchCpus(self.system, [(atomic, core) for core, atomic in self.pairs()])
            self.on_atomic = False
        self.prepare_state()
        if not self.measuring:
            self.phase("measure")
            self.measuring = True
        self.begun += 1
        self.status.timed("invocation-begin", m5.curTick(), number=self.begun)
        m5.stats.reset()

    def end(self):
        if self.begun == self.ended:
            if self.to_warm:
                self.status.timed("invocation-end", m5.curTick(), number=0)
                self.to_warm -= 1
            return
        m5.stats.dump()
        m5.stats.reset()
        self.ended += 1
        self.status.timed("invocation-end", m5.curTick(), number=self.ended)
        if self.ended == self.arguments.num_invocations:
            raise End(WORK_END)
        if self.is_enough(self.ended):
            raise End(TIGHT)
