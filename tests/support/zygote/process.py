"""A process that has imported netgw and forks an operator for each order: a start costs a few milliseconds so.

An order with `argv` is for that command of netgw, one without for an operator that is told where to end.
Orders are lines of JSON on standard input, what becomes of each is told on standard output: its pid, and its exit
status when it has ended. At the end of the input every operator that is left is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import random
import selectors
import signal
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from netgw import cli
from netgw_dev.tether import PR_SET_PDEATHSIG
from support.crash_points import doomed


def main() -> None:
    """Until the end of the input."""
    reading, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.collect()
    gc.freeze()  # so that a collection in a fork does not copy what all share
    alive: dict[int, int] = {}
    selector = selectors.DefaultSelector()
    selector.register(reading, selectors.EVENT_READ)
    selector.register(sys.stdin.buffer.fileno(), selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _ in selector.select():
            if key.fd == reading:
                os.read(reading, 4096)
                continue
            if not (read := os.read(key.fd, 1 << 16)):
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                return
            *orders, rest = (rest + read).split(b"\n")
            for order in map(json.loads, orders):
                alive[fork(order, (reading, waking))] = order["number"]
        reap(alive)


def fork(order: Mapping[str, Any], inherited: tuple[int, ...]) -> int:
    """One operator; only the parent comes back."""
    if pid := os.fork():
        tell(number=order["number"], pid=pid)
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        become(order, inherited)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
        sys.stderr.write(f"{end.code}\n")
    except BaseException:  # noqa: BLE001  there is nobody above who could tell
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def become(order: Mapping[str, Any], inherited: tuple[int, ...]) -> None:
    """Give up what is the parent's, then be the operator, or that command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for opened, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(opened, standard)
    for number in (*inherited, log, nothing):
        os.close(number)
    os.environ.clear()
    os.environ.update(order["environment"])
    random.seed()
    if order["argv"]:
        cli.app(order["argv"])
    else:
        doomed.main()


def reap(alive: dict[int, int]) -> None:
    """Tell of all that have ended."""
    for pid in list(alive):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            tell(number=alive.pop(pid), status=os.waitstatus_to_exitcode(status))


def tell(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
