"""surgery: find where a generative checkpoint keeps a concept, take it out, and prove it.

The public names, each loaded when it is first used: `import surgery` alone costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surgery.anatomy import anatomy
    from surgery.apply import apply
    from surgery.diff import diff
    from surgery.doctor import doctor
    from surgery.errors import SurgeryError
    from surgery.localise.probe import probe
    from surgery.plan import make_plan
    from surgery.push import push
    from surgery.recipe import load_recipe
    from surgery.reproduce import reproduce
    from surgery.store.checkpoint import open_checkpoint
    from surgery.verify import verify
    from surgery.version import __version__

__all__ = [
    "SurgeryError",
    "__version__",
    "anatomy",
    "apply",
    "diff",
    "doctor",
    "load_recipe",
    "make_plan",
    "open_checkpoint",
    "probe",
    "push",
    "reproduce",
    "verify",
]

_HOMES = {
    "SurgeryError": "surgery.errors",
    "__version__": "surgery.version",
    "anatomy": "surgery.anatomy",
    "apply": "surgery.apply",
    "diff": "surgery.diff",
    "doctor": "surgery.doctor",
    "load_recipe": "surgery.recipe",
    "make_plan": "surgery.plan",
    "open_checkpoint": "surgery.store.checkpoint",
    "probe": "surgery.localise.probe",
    "push": "surgery.push",
    "reproduce": "surgery.reproduce",
    "verify": "surgery.verify",
}


class _Package(ModuleType):
    """Keeps `surgery.apply` the function although the module of that name is imported too."""

    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds every submodule to its package under the submodule's name.
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'surgery' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
