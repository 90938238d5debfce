"""What the doctor says of a piece of code."""

from __future__ import annotations

import inspect
import warnings

import rushlight as rl


def findings(run):
    """The findings of a call, in order."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [each.message for each in caught if isinstance(each.message, rl.doctor.DoctorWarning)]


def line_of(run, text):
    """``file.py:12: code``, the first line of a function's source that has ``text`` in it."""
    lines, start = inspect.getsourcelines(run)
    number, line = next((k, line) for k, line in enumerate(lines) if text in line)
    name = inspect.getsourcefile(run).rpartition("/")[2]
    return f"{name}:{start + number}: {line.strip()}"


def assert_says(run, code, text, *, at, **places):
    """``run`` makes one finding, with this text to the letter; ``{name}`` in it are lines of code.

    Args:
        at: part of the line that it is about.
        places: parts of other lines that the text names.
    """
    (found,) = findings(run)
    assert found.code == code
    lines = {name: line_of(run, part) for name, part in places.items()}
    expected = text.strip("\n").format(at=line_of(run, at), **lines)
    silence = f'  If it is meant: rushlight.doctor.silence("{code}")'
    assert str(found) == f"{expected}\n{silence}"
    with rl.doctor("strict"):
        try:
            run()
        except rl.doctor.DoctorWarning as raised:
            assert raised.code == code
        else:
            raise AssertionError("strict let it pass")
    with rl.doctor.silenced(code), rl.doctor("warn"):
        assert not findings(run)
    with rl.doctor("off"):
        assert not findings(run)
