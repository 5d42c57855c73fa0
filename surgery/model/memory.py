"""The most memory that this process has held."""

from __future__ import annotations

import sys

import torch


def peak_mb() -> float:
    """In 10^6 bytes; on a GPU that of the device, else the process's own."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        import resource
    except ImportError:  # Windows has no such module
        return 0.0
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 1e6 if sys.platform == "darwin" else held * 1024 / 1e6
