"""Sets the parameters of a point on a system that is made but not instantiated.

Works on gem5's own description of its objects: `_params` (name -> description), `_values` and `_children`.
"""
import re

import names
from status import Refused

INDEXED = re.compile(r"([A-Za-z_]\w*?)(\d+)$")


class BadValue(Exception):
    """gem5's library does not take this value for this parameter."""


class Unknown(Exception):
    """There is no such parameter; `near` is the nearest valid name, or None."""

    def __init__(self, message, near):
        super().__init__(message)
        self.near = near


class Binder:
    """Sets parameters of what is simulated: `parts` are its objects by name. The first is the system under test: it is
    meant where a path names none. `library` has gem5's classes (m5.objects)."""

    def __init__(self, parts, library):
        self.parts = parts
        self.system = next(iter(parts.values()))
        self.library = library
        self.touched = []  # (axis, given, object, parameter)

    # Paths

    def child(self, item, name):
        """The children that one step of a path means: a list, several for a vector without an index."""
        if name in item._children or name in item._params:
            value = getattr(item, name, None)
            if is_object(value):
                return [value]
            return list(value) if is_vector(value) else []
        match = INDEXED.match(name)
        if match and match.group(1) in item._children:
            vector, index = getattr(item, match.group(1)), int(match.group(2))
            if is_vector(vector) and index < len(vector):
                return [vector[index]]
        return []

    def find(self, path):
        """All (object, parameter) that a path means; empty if one step does not exist."""
        steps = path.split(".")
        items = [self.parts.get(steps[0], self.system)]
        if steps[0] in self.parts or steps[0] == "system":
            steps = steps[1:]
        for step in steps[:-1]:
            items = [child for item in items for child in self.child(item, step)]
        return [(item, steps[-1]) for item in items if steps and steps[-1] in item._params]

    def valid(self):
        """Every name that could be set, to find the one that was meant."""
        def walk(item, prefix):
            yield from (prefix + name for name in item._params.keys())
            for name, child in item._children.items():
                for number, one in enumerate(child if is_vector(child) else [child]):
                    if not is_object(one):
                        continue  # the place of a disk that is not there
                    shown = name if not is_vector(child) or name == "cpu" else "%s%d" % (name, number)
                    if not is_vector(child) or name != "cpu" or number == len(child) - 1:
                        yield from walk(one, prefix + shown + ".")
        short = [name for name in names.SHORT if name in names.CHOICES or self.short(name)]
        paths = [path for name, part in self.parts.items()
                 for path in walk(part, "" if part is self.system else name + ".")]
        return short + paths

    def short(self, axis):
        """The parameters behind a short name; empty if this system has not got them all."""
        places = names.SCALARS[axis] if axis in names.SCALARS else names.OBJECTS[axis][0]
        found = [next((self.find(path) for path in paths if self.find(path)), []) for paths in places]
        return [pair for pairs in found for pair in pairs] if all(found) else []

    def places(self, axis):
        found = self.short(axis) if names.is_short(axis) else self.find(axis)
        if found:
            return found
        valid = self.valid()
        near = names.nearest(axis, [name for name in valid if name != axis])
        what = "this system has no %s" % axis if names.is_short(axis) else "there is no parameter %s" % axis
        raise Unknown(what + ("; did you mean %s?" % near if near else ""), near)

    # Values

    def make(self, classes, axis, value):
        """An object of the first class that this gem5 has."""
        for name in classes:
            if name is None:
                return self.library.NULL
            if hasattr(self.library, name):
                return getattr(self.library, name)()
        raise BadValue("%s=%s: this gem5 has no %s" % (axis, value, " or ".join(map(str, classes))))

    def classes(self, kind):
        """The names of gem5's classes that a parameter takes which is made from `kind`."""
        known = ((name, getattr(self.library, name)) for name in dir(self.library))
        return [name for name, found in known
                if isinstance(found, type) and issubclass(found, kind) and not getattr(found, "abstract", False)]

    def value(self, axis, given, item, parameter):
        """What to assign: an object where the parameter takes one, else the text, which gem5 converts."""
        if axis in names.OBJECTS:
            table = names.OBJECTS[axis][1]
            if given.lower() not in table:
                raise BadValue(not_one_of(table, axis, given))
            return self.make(table[given.lower()], axis, given)
        kind = getattr(item._params[parameter], "ptype", None)
        if isinstance(kind, type) and hasattr(kind, "_params"):
            if given in ("NULL", "None", "none"):
                return self.library.NULL
            found = getattr(self.library, given, None)
            if not isinstance(found, type) or not issubclass(found, kind) or getattr(found, "abstract", False):
                near = names.nearest(given, self.classes(kind))
                raise BadValue("%s=%s: it takes a class of gem5 made from %s%s" % (
                    axis, given, kind.__name__, "; did you mean %s?" % near if near else ""))
            return found()
        if is_number_list(item._params[parameter]):
            return given.strip("[]").replace(",", " ").split()
        return given

    def set(self, axis, given):
        """Raises Unknown or BadValue; otherwise the value is set on every object that the name means."""
        for item, parameter in self.places(axis):
            value = self.value(axis, given, item, parameter)
            try:
                setattr(item, parameter, value)
            except BadValue:
                raise
            except Exception as error:  # pylint: disable=broad-except
                # The library raises whatever its conversions raise: TypeError, ValueError, KeyError, RuntimeError.
                raise BadValue("%s=%s: gem5 does not take it: %s" % (axis, given, first_line(error))) from error
            self.touched.append((axis, given, item, parameter))

    def set_all(self, settings):
        """As `set` for each; as Refused, for a run, with all that is wrong. Choices have been made with the system."""
        problems = []
        for axis, given in names.order(settings):
            if axis in names.CHOICES:
                continue
            try:
                self.set(axis, given)
            except Unknown as error:
                problems.append(("unknown-parameter", str(error)))
            except BadValue as error:
                problems.append(("bad-value", str(error)))
        refuse(problems)

    def note_choice(self, axis, given, items):
        """A choice that was made with the system; what config.ini shows of it is in names.EVIDENCE."""
        self.touched += [(axis, given, item, name) for item in items for name in names.EVIDENCE[axis]
                         if name == "type" or name in item._params]

    def report(self):
        """What was set, as config.ini shows it; after the system was instantiated."""
        lines = []
        for axis, given, item, parameter in self.touched:
            target, name = item, parameter
            if parameter != "type":
                value = item._values.get(parameter)
                if is_object(value):
                    target, name = value, "type"
            text = target.type if name == "type" else item._values[parameter].ini_str()
            lines.append({"axis": axis, "given": given, "path": target.path(), "name": name, "value": text})
        return lines


def choose(settings):
    """The choices among the settings: {"core": ..., "memory": ...}, by their short values."""
    chosen, problems = {}, []
    for axis, given in settings:
        table = names.CHOICES.get(axis)
        if table is None:
            continue
        if given.lower() not in table:
            problems.append(("bad-value", not_one_of(table, axis, given)))
        chosen[axis] = given.lower()
    refuse(problems)
    return chosen


def refuse(problems):
    """Raises Refused if there are any: pairs of a cause and a message."""
    if problems:
        raise Refused(problems[0][0], "; ".join(message for _, message in problems))


def not_one_of(table, axis, given):
    near = names.nearest(given, list(table))
    hint = "did you mean %s?" % near if near else "it is one of %s" % ", ".join(table)
    return "%s=%s: there is no such value; %s" % (axis, given, hint)


def is_object(value):
    return hasattr(value, "_params") and hasattr(value, "_children") and not isinstance(value, type)


def is_vector(value):
    return isinstance(value, (list, tuple)) or (hasattr(value, "__len__") and hasattr(value, "__getitem__")
                                                and not isinstance(value, str) and not is_object(value))


def is_number_list(description):
    return type(description).__name__ == "VectorParamDesc"


def first_line(error):
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
