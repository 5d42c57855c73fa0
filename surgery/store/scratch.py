"""A temporary folder of our own; what a killed process leaves of one, the next clears away."""

from __future__ import annotations

import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path

from surgery.errors import OutputError, ResourceError
from surgery.store.staging import remove_litter, staged_folder
from surgery.store.text import visible


def scratch_folder(owner: object, shown: Path) -> Path:
    """Return a new folder under TMPDIR that goes away together with `owner`.

    Args:
        shown: the file that errors are about.

    Raises:
        ResourceError: no folder can be made.
    """
    stack = ExitStack()
    try:
        beside = Path(tempfile.gettempdir()) / "surgery"
        remove_litter(beside)
        _, folder = stack.enter_context(staged_folder(beside))
        weakref.finalize(owner, stack.close)
        folder.chmod(0o700)
    except (OSError, OutputError) as error:
        reason = error.what if isinstance(error, OutputError) else error.strerror
        problem = f"no temporary folder: {reason}"
        raise ResourceError(problem, where=visible(str(shown)), hint="set TMPDIR") from error
    return folder
