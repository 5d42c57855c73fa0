from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.edits.locoedit import LocoEdit
from surgery.errors import EditError, LayoutError
from surgery.layout import Layout, detect
from surgery.layouts.schema import Located
from tests.helpers.structures import configs, folder

from .contract import layout

STYLE = {"erase": "van gogh", "target": "painting"}
OBJECT = {"erase": "r2d2", "target": "star", "kind": "object"}
FACT = {"erase": "the king", "target": "the queen", "kind": "fact"}


def locoedit(*concepts: object, **fields: object) -> LocoEdit:
    return LocoEdit.model_validate({"concepts": concepts, **fields})


def layers(edit: LocoEdit, model: Layout) -> list[int]:
    sites = edit.sites(model)
    assert {site.kind for site in sites} == {"cross_attn.k", "cross_attn.v"}
    return [site.index for site in sites if site.kind == "cross_attn.k"]


@pytest.mark.parametrize(
    ("family", "style", "thing", "fact"),
    [("sd1", 8, 6, 6), ("sd2", 8, 8, 7), ("sdxl", 45, 15, 45)],
)
def test_left_out_the_window_is_that_of_the_papers(
    family: str, style: int, thing: int, fact: int
) -> None:
    model = detect(folder(family), configs(family))
    length = 5 if family == "sdxl" else 2
    for concept, first in ((STYLE, style), (OBJECT, thing), (FACT, fact)):
        assert layers(locoedit(concept), model) == list(range(first, first + length))


def test_a_selector_says_where_instead() -> None:
    assert layers(locoedit(STYLE, where="cross_attn.{k,v}[1]"), layout()) == [1]


def test_a_model_of_another_depth_asks_for_a_window() -> None:
    located = Located(16, {"style": "8:10", "object": "6:8", "fact": "6:8"})
    for model in (layout(), replace(layout(), located=located)):
        with pytest.raises(LayoutError, match="which of the 2 cross-attention layers") as caught:
            locoedit(STYLE).sites(model)
        assert "where" in caught.value.hint
        assert "probe" in caught.value.hint


def test_kinds_of_different_windows_need_edits_of_their_own() -> None:
    located = Located(2, {"style": "0:1", "object": "1:2", "fact": "1:2"})
    model = replace(layout(), located=located)
    assert layers(locoedit(OBJECT, FACT), model) == [1]
    with pytest.raises(EditError, match="layers of their own control each of style, object"):
        locoedit(STYLE, OBJECT).sites(model)
