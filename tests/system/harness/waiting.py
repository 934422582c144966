"""Waiting for something to become true, without guessing how long it takes."""

import time

# Sanitizers and a busy machine are slow: long enough for both, and only a failing test waits it out.
PATIENCE_S = 30


def eventually(condition, what, patience_s=PATIENCE_S):
    """Returns condition()'s first true value; fails when there is none in time."""
    end = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still not true after {patience_s} s: {what}")
        time.sleep(0.01)
