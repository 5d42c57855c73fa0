"""Recipe: what to change in a checkpoint, as data. Reads and writes YAML; touches no checkpoint.

Every mistake in a recipe is a `RecipeError` that opens with file, line and field path. Files that a
recipe names (a list of concepts, a probe's report) are read with it and become part of it.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SerializeAsAny,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from surgery.edits import EDITS
from surgery.edits.base import Edit
from surgery.errors import RecipeError
from surgery.recipe_errors import explain
from surgery.recipe_expect import Expect, Limit
from surgery.recipe_files import with_files
from surgery.recipe_json import read_json
from surgery.recipe_text import MAX_BYTES, read_yaml, write_yaml
from surgery.store.text import visible

__all__ = ["Expect", "Limit", "Recipe", "json_schema", "load_recipe"]

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _whole(value: object) -> object:
    # 1.0 and true are equal to 1, and neither is a version.
    if type(value) is not int:
        raise ValueError("must be a whole number")
    return value


class _AnyEdit:
    """Annotation: one of EDITS, chosen by its `method` key."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        choices = {name: handler.generate_schema(edit) for name, edit in EDITS.items()}
        return core_schema.tagged_union_schema(choices, discriminator="method")


class Recipe(BaseModel):
    """An ordered list of edits with their settings, and what is expected of the result."""

    model_config = _STRICT

    version: Annotated[
        Literal[1], BeforeValidator(_whole), Field(description="Version of the recipe format.")
    ]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
    description: str = ""
    model: Annotated[
        str | None, Field(description="Address of the checkpoint when the command names none.")
    ] = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    edits: tuple[Annotated[SerializeAsAny[Edit], _AnyEdit()], ...]
    expect: Expect = Expect()

    def dump(self) -> str:
        """YAML text that `load_recipe` reads back as an equal recipe; defaults are left out."""
        return write_yaml(self._spoken())

    def to_json(self) -> str:
        """The recipe in one line of JSON, the same text for equal recipes."""
        return json.dumps(self._spoken(), ensure_ascii=False, separators=(",", ":"))

    def _spoken(self) -> dict[str, object]:
        fields = self.model_dump(mode="json", exclude_defaults=True)
        fields["edits"] = [
            {"method": edit.method, **edit.model_dump(mode="json", exclude_defaults=True)}
            for edit in self.edits
        ]
        return {"version": self.version, **fields}


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe from a file, or from text that holds at least one line break.

    Raises:
        RecipeError: the file cannot be read, or the recipe is not valid.
    """
    if isinstance(source, str) and "\n" in source:
        return _parse(source.encode("utf-8", "surrogatepass"), "recipe", Path())
    return _parse(_read(Path(source)), visible(str(source)), Path(source).parent)


def json_schema() -> dict[str, object]:
    """JSON Schema of a recipe, for editors."""
    return Recipe.model_json_schema()


def _parse(raw: bytes, where: str, folder: Path) -> Recipe:
    located = read_json(raw, where) or read_yaml(raw, where)
    if not isinstance(located.value, dict):
        raise RecipeError("a recipe is a mapping of keys to values", where=located.at(()))
    located = with_files(located, folder)
    try:
        return Recipe.model_validate_json(json.dumps(located.value))
    except ValidationError as error:
        raise explain(error, located, Recipe, EDITS) from error


def _read(path: Path) -> bytes:
    where = visible(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecipeError("not a regular file", where=where, hint="give a .yaml file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise RecipeError("no such recipe", where=where) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecipeError(f"cannot be read: {reason}", where=where) from error
