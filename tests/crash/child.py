"""One job in a process of its own: child.py JOB MODEL OUT FILL SLOW

JOB is write (a changed copy at OUT), copy (an unchanged one), command (the same by the command
line), edit (in place, with the undo file OUT) or undo (with that file). Every byte of every tensor
becomes FILL; SLOW seconds pass before each tensor. Needs no installed package but for command.
"""

import ctypes  # noqa: F401 - loaded before the job begins, so that no fault hits an import
import importlib.util
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN = "/surgery-job-begins-here"
sys.path.insert(0, str(ROOT))

from surgery.errors import ResourceError, SurgeryError  # noqa: E402
from surgery.store.checkpoint import open_checkpoint  # noqa: E402
from surgery.store.inplace import edit_in_place  # noqa: E402
from surgery.store.record import MARK  # noqa: E402
from surgery.store.restore import undo  # noqa: E402
from surgery.store.writer import write  # noqa: E402

# The package surgery.cli would load typer, which costs more than the job.
_spec = importlib.util.spec_from_file_location("stopping", ROOT / "surgery/cli/stopping.py")
stopping = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stopping)


def command(model: Path, out: Path, *more: str) -> int:
    """Copy a model by `surgery apply` with a recipe that has no edits."""
    from surgery.cli import main

    recipe = str(model.with_name("nothing.yaml"))
    Path(BEGIN).exists()
    return main(["apply", recipe, "-m", str(model), "-o", str(out), "--force", *more])


def run(job: str, model: Path, out: Path, fill: int, slow: float) -> None:
    if job == "undo":
        Path(BEGIN).exists()
        undo(out)
        return
    checkpoint = open_checkpoint(model)

    def made(name: str) -> bytes:
        time.sleep(slow)
        return bytes([fill]) * checkpoint[name].nbytes

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    Path(BEGIN).exists()
    if job == "edit":
        edit_in_place(checkpoint, {name: made(name) for name in checkpoint}, out)
    else:
        names = checkpoint if job == "write" else ()
        changes = {name: (lambda name=name: made(name)) for name in names}
        record = (lambda: f'{MARK}"fill": {fill}}}') if names else None
        told = {"surgery.fill": str(fill)}
        write(checkpoint, changes, out, metadata=told, record=record, force=True)


def main() -> int:
    job, model, out, fill, slow = sys.argv[1:]
    if job == "command":
        return command(Path(model), Path(out))
    with stopping.signals_raise():
        try:
            run(job, Path(model), Path(out), int(fill), float(slow))
        except SurgeryError as error:
            sys.stderr.write(f"Error: {error}\n")
            sys.stderr.flush()
            return 5 if isinstance(error, ResourceError) else 2
        except MemoryError:
            return 5
        except KeyboardInterrupt:
            return 130
        except stopping.Stopped as stopped:
            return stopped.code
    return 0


if __name__ == "__main__":
    # What a signal does to Python's own way out is not what is tested here.
    os._exit(main())
