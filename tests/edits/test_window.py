from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.edits.base import Concept
from surgery.edits.window import window_of
from surgery.errors import EditError, LayoutError
from surgery.layouts.schema import Located

from .contract import layout

STYLE = Concept(erase="van gogh")
OBJECT = Concept(erase="r2d2", kind="object")
LOCATED = replace(layout(), located=Located(2, {"style": "0:1", "object": "1:2", "fact": "1:2"}))


def test_the_window_is_that_of_the_kind() -> None:
    assert window_of([STYLE, STYLE], LOCATED) == "cross_attn.{k,v}[0:1]"
    assert window_of([OBJECT], LOCATED) == "cross_attn.{k,v}[1:2]"


def test_kinds_of_different_windows_have_none_together() -> None:
    with pytest.raises(EditError, match="layers of their own control each of style, object"):
        window_of([STYLE, OBJECT], LOCATED)


def test_a_model_of_which_nothing_is_known_has_none() -> None:
    with pytest.raises(LayoutError, match="which of the 2 cross-attention layers"):
        window_of([STYLE], layout())
