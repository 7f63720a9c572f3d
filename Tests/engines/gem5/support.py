"""Finds the package, which gem5 finds as the folder of its run.py, and stands in for the parts of m5 that it needs."""
import os
import sys
import types

ROOT = os.path.abspath(__file__).rsplit("/Tests/", 1)[0]
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "ops", "gem5"))


class Description:
    def __init__(self, kind=None):
        self.ptype = kind or str


class Value(str):
    """A parameter's value; like gem5's sizes, it knows how config.ini shows it."""

    def ini_str(self):
        return str(self)


class Object:
    """As much of a SimObject as setting its parameters takes."""

    abstract = False

    def __init__(self, parameters=(), kinds=None, refused=(), **children):
        fields = self.__dict__
        fields["_params"] = {name: Description() for name in parameters}
        fields["_params"].update({name: Description(kind) for name, kind in (kinds or {}).items()})
        fields["_children"] = children
        fields["_values"] = {}
        fields["_name"] = type(self).__name__
        fields["type"] = type(self).__name__
        fields["refused"] = refused

    def __getattr__(self, name):
        for place in ("_children", "_values"):
            if name in self.__dict__[place]:
                return self.__dict__[place][name]
        raise AttributeError(name)

    def __setattr__(self, name, value):
        if name not in self._params:
            raise AttributeError("no parameter " + name)
        if value in self.refused:
            raise ValueError("bad: %s\nand more" % value)
        self._values[name] = Value(value) if isinstance(value, str) else value
        if isinstance(value, Object):
            self._children[name] = value

    def path(self):
        return "path.of." + self._name


class Event:
    def __init__(self, cause, code=0):
        self.cause, self.code = cause, code

    def getCause(self):
        return self.cause

    def getCode(self):
        return self.code


class Gem5(types.ModuleType):
    """A gem5 whose exit events are given; it notes what it is told to do."""

    def __init__(self, events):
        super().__init__("m5")
        self.events, self.did, self.tick = list(events), [], 0
        self.stats = types.SimpleNamespace(
            dump=lambda: self.did.append("dump"), reset=lambda: self.did.append("reset"))

    def curTick(self):
        return self.tick

    def simulate(self, ticks=None):
        self.tick += 1000
        if ticks == 1:  # for what has to start before it can be switched
            return Event("simulate() limit reached")
        return self.events.pop(0)

    def switchCpus(self, system, pairs):
        self.did.append("switch to %s" % " ".join(new for _, new in pairs))

    def drain(self):
        self.did.append("drain")

    def memWriteback(self, _):
        self.did.append("write back")

    def memInvalidate(self, _):
        self.did.append("invalidate")

    def checkpoint(self, folder):
        self.did.append("checkpoint " + folder)
