"""Where recipes are found: by path, or by name on the shelf that comes with the package."""

from __future__ import annotations

from pathlib import Path

from surgery.errors import RecipeError
from surgery.store.text import nearest, visible

_PACKAGE = Path(__file__).resolve().parents[1]


def shelf() -> dict[str, Path]:
    """The recipes that come with surgery: name to file, by name."""
    installed, checkout = _PACKAGE / "shelf", _PACKAGE.parent / "recipes"
    folder = installed if installed.is_dir() else checkout
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_recipe(text: str) -> Path:
    """The file that a recipe argument means: an existing path first, then a name on the shelf.

    Raises:
        RecipeError: neither a file nor a name on the shelf.
    """
    path = Path(text)
    if text and _is_there(path):
        return path
    known = shelf()
    if text in known:
        return known[text]
    close = nearest(path.stem, known)
    hint = (
        f"did you mean {close}? `surgery recipe ls` lists" if close else "`surgery recipe ls` lists"
    )
    raise RecipeError(
        "neither a recipe file nor a name on the shelf",
        where=visible(text) or "''",
        hint=f"{hint} what is there",
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A name too long for the file system, or one with a NUL in it.
        return False
