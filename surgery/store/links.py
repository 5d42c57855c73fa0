"""A second name for a file that an output shares with its input. Copies nothing.

Both names mean the same bytes: whoever edits one in place later changes both.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_CANNOT = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
)


def same_device(source: Path, folder: Path) -> bool:
    """Return whether a file, links followed, lies on the file system of `folder`."""
    return source.stat().st_dev == folder.stat().st_dev


def linked(source: Path, path: Path) -> bool:
    """Give `source`, links followed, the new name `path`; False where the system cannot.

    Raises:
        OSError: it could, and failed.
    """
    try:
        os.link(source.resolve(), path)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True
