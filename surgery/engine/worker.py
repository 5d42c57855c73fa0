"""The other side: a process that is given packed work and packs what comes of it."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from surgery.errors import SurgeryError, UsageError

HELLO = b""
"""What a process says first."""


def settle(environment: Mapping[str, str] = {}) -> None:
    """Make a process a worker: one thread unless an item takes more, no talk of model libraries."""
    counted = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    quiet = ("DIFFUSERS_VERBOSITY", "TRANSFORMERS_VERBOSITY")
    own = {**dict.fromkeys(counted, "1"), **dict.fromkeys(quiet, "error")}
    os.environ.update({**own, **environment})
    # Read when torch is imported, which the user's own script may have done.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def work(line: Connection, environment: Mapping[str, str]) -> None:
    """The life of a process: it answers until nobody asks any more."""
    settle(environment)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        line.send_bytes(HELLO)
        while True:
            line.send_bytes(answer(line.recv_bytes()))
    except (EOFError, OSError):
        return


def _end_with_parent() -> None:
    """Whoever asked may be killed while this process computes; nobody wants the answer then."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def answer(packed: bytes) -> bytes:
    """Call a packed function with its item: (True, result) or (False, what it raised), packed."""
    try:
        function, item = _unpacked(packed)
        return pickle.dumps((True, function(item)))
    except Exception as error:  # noqa: BLE001 - it is raised again where the work came from
        return pickle.dumps((False, _portable(error)))


def _unpacked(packed: bytes) -> tuple[Callable[[object], object], object]:
    try:
        given: tuple[Callable[[object], object], object] = pickle.loads(packed)
    except (AttributeError, ImportError, pickle.UnpicklingError) as error:
        raise UsageError(
            f"a worker cannot read the work that it was sent: {error}",
            hint="what it calls must be in a module that is installed there too",
        ) from error
    return given


def _portable(error: Exception) -> Exception:
    """The exception itself where it survives being sent, else one that says the same."""
    if not isinstance(error, SurgeryError):
        error.add_note("in a worker:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - an exception may hold anything
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
