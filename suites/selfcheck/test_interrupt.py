"""An interrupted run ends as one even where the signal met a frame before its first line."""

from __future__ import annotations

import types
from collections.abc import Callable

import pytest

from suites.interrupt import with_lines


def _closure() -> Callable[[], types.FrameType]:
    free = "a variable of the function around it"

    def inner() -> types.FrameType:
        import sys

        assert free
        return sys._getframe()

    return inner


def test_a_frame_before_its_first_line_can_be_printed() -> None:
    # Set up: what CPython makes of a signal that arrives while a function with free variables is entered.
    frame = _closure()()
    error = KeyboardInterrupt().with_traceback(types.TracebackType(None, frame, 0, -1))
    excinfo = pytest.ExceptionInfo.from_exception(error)
    if getattr(error.__traceback__, "tb_lineno", None) is not None:
        pytest.skip("this Python gives every instruction a line")
    with pytest.raises(TypeError):
        excinfo.getrepr()
    # Stimulus.
    with_lines(excinfo)
    # Verdict.
    assert excinfo.traceback[0].lineno == frame.f_code.co_firstlineno - 1
    assert "KeyboardInterrupt" in str(excinfo.getrepr(funcargs=True))
