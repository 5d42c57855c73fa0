"""Settings of the whole process for commands that solve, made before numpy is imported."""

from __future__ import annotations

import atexit
import gc
import os
import re
from pathlib import Path


def prepare_to_solve(recipe: Path | None = None) -> None:
    """Have the process spend its time on the numbers.

    Args:
        recipe: what will be solved, a file that may yet be missing or wrong.
    """
    if recipe is not None and _is_small(recipe):
        # Threads gain little on an idle machine and triple the time on a busy one, where they wait
        # for each other; OpenBLAS reads this when numpy is imported.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A vocabulary is a hundred thousand objects that stay; looking through them cost 4 %.
    gc.set_threshold(100_000, 10, 10)
    # What is left at the end goes with the process; searching it for cycles takes 5 %.
    atexit.register(gc.freeze)


def _is_small(recipe: Path) -> bool:
    """Whether a recipe's products are all small; a guess from its text, before it is loaded."""
    try:
        if not recipe.is_file():
            return False
        with recipe.open("rb") as file:
            methods = set(re.findall(rb"method:\s*(\w+)", file.read(1 << 20)))
    except OSError:
        return False
    return methods == {b"quickfix"}
