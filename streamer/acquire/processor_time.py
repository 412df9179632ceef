"""Bounds the processor time of code that no timeout of a socket would end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Again and again: the code that is ended may catch the first.
_REPEAT_SECONDS = 1.0


@contextmanager
def bounded_processor_time(seconds: float, overdue: Callable[[], Exception]) -> Iterator[None]:
    """Raise ``overdue()`` in the body once this process has used ``seconds`` of processor time.

    By a signal, which even a regular expression that never ends looks for. Signals are Python's
    main thread's alone, which is where a slot works; in other threads there is no bound.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = False

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if not over:
            raise overdue()

    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds, _REPEAT_SECONDS)
    try:
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
