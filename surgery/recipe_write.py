"""Writes values into the text of a recipe, and leaves its comments and everything else alone."""

from __future__ import annotations

import io
from collections.abc import Mapping

from surgery.errors import RecipeError
from surgery.recipe_text import Path, Plain, field_path


def with_values(text: str, values: Mapping[Path, Plain]) -> str:
    """The same YAML with these fields set; a field that is not there yet is added.

    Args:
        text: a valid recipe.
        values: field path -> its new value; all but the last part must be there.

    Raises:
        RecipeError: a path that the recipe does not have.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 2**20
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = yaml.load(text)
    for path, value in values.items():
        here = root
        try:
            for part in path[:-1]:
                here = here[part]
            here[path[-1]] = _flow(value)
        except (KeyError, IndexError, TypeError) as error:
            raise RecipeError("is not in the recipe's own text", where=field_path(path)) from error
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


def _flow(value: Plain) -> object:
    """Lists on one line, as people write short ones."""
    from ruamel.yaml.comments import CommentedSeq

    if not isinstance(value, list):
        return value
    line = CommentedSeq(value)
    line.fa.set_flow_style()
    return line
