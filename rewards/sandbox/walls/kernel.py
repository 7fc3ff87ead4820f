"""Calls of the C library that Python does not offer, with errors as exceptions."""

import ctypes
import os

PR_SET_NO_NEW_PRIVS = 38

libc = ctypes.CDLL(None, use_errno=True)
# Declared once: a child calls it before it runs, and every allocation there copies a page.
libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)


def check(result: int, what: str) -> int:
    """The result of a call.

    Raises:
        OSError: It is negative.
    """
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int, more: int = 0) -> None:
    """Sets a property of this process. Raises OSError if the kernel refuses."""
    check(libc.prctl(option, value, more, 0, 0), f"prctl({option})")
