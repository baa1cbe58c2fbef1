"""The frame of the Python clients' checks: each prints a line, the last line counts them."""

import sys
import traceback

results = []


def check(f):
    try:
        f()
        results.append(True)
        print("ok   ", f.__name__)
    except Exception:
        results.append(False)
        print("FAIL ", f.__name__)
        traceback.print_exc()
    return f


def equal(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def finish():
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if all(results) else 1)
