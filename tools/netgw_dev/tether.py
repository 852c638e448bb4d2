"""Becomes the given program, tied to the process that asked for it: on Linux the kernel kills it when that one dies.

A stub of its own rather than a hook between fork and exec: such hooks are unsafe once the parent has threads.
Run as ``python -I -S tether.py PARENT_PID PROGRAM [ARGUMENT...]``; elsewhere than on Linux it only starts the program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, argv: list[str]) -> None:
    """Ask for the signal, then replace this process by the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the request was made
            sys.exit(1)
    os.execv(argv[0], argv)  # noqa: S606  this is the purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
