"""The selector language: what it picks, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgery.errors import LayoutError
from surgery.selector import Site, select

KINDS = {
    "cross_attn.k": 16,
    "cross_attn.v": 16,
    "cross_attn.out": 16,
    "cross_attn.out.bias": 16,
    "self_attn.k": 16,
    "text.self_attn.out": 12,
    "text.self_attn.out.bias": 12,
    "text.norm1.weight": 12,
    "text.norm1.bias": 12,
    "text.token_embedding": 1,
}
SITES = tuple(Site(kind, i, f"{kind}.{i}.w") for kind, n in KINDS.items() for i in range(n))


def picked(selector: str) -> list[str]:
    return [str(site) for site in select(selector, SITES)]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("cross_attn.v[7]", ["cross_attn.v[7]"]),
        ("cross_attn.v[-1]", ["cross_attn.v[15]"]),
        ("cross_attn.v[14:]", ["cross_attn.v[14]", "cross_attn.v[15]"]),
        ("cross_attn.v[:2]", ["cross_attn.v[0]", "cross_attn.v[1]"]),
        ("cross_attn.v[-2:]", ["cross_attn.v[14]", "cross_attn.v[15]"]),
        ("cross_attn.v[9,1:3]", ["cross_attn.v[1]", "cross_attn.v[2]", "cross_attn.v[9]"]),
        (
            "cross_attn.{k,v}[8:10]",
            ["cross_attn.k[8]", "cross_attn.k[9]", "cross_attn.v[8]", "cross_attn.v[9]"],
        ),
        ("cross_attn.v[1], cross_attn.k[0]", ["cross_attn.k[0]", "cross_attn.v[1]"]),
        ("cross_attn.v[1],cross_attn.v[1]", ["cross_attn.v[1]"]),
        ("text.self_attn.out.weight[0]", ["text.self_attn.out[0]"]),
        ("text.self_attn.out.bias[0]", ["text.self_attn.out.bias[0]"]),
        ("text.norm1.*[3]", ["text.norm1.weight[3]", "text.norm1.bias[3]"]),
        ("text.token_embedding", ["text.token_embedding[0]"]),
    ],
)
def test_a_selector_picks(selector: str, wanted: list[str]) -> None:
    assert picked(selector) == wanted


def test_a_kind_alone_is_every_depth() -> None:
    assert len(picked("cross_attn.k")) == len(picked("cross_attn.k[*]")) == 16


def test_a_star_stays_within_one_word() -> None:
    assert {site.kind for site in select("cross_attn.*", SITES)} == {
        "cross_attn.k",
        "cross_attn.v",
        "cross_attn.out",
    }


def test_order_is_that_of_the_model_however_it_is_asked() -> None:
    assert picked("cross_attn.v, cross_attn.k") == picked("cross_attn.{k,v}")


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("cross_atn.v[7]", "'cross_atn.v\\[7\\]' selects nothing; did you mean cross_attn.v?"),
        ("cross_attn.v[16]", r"cross_attn.v\[16\] reaches outside; there are 16: 0 to 15"),
        ("cross_attn.v[8:30]", "reaches outside"),
        ("cross_attn.v[-17]", "reaches outside"),
        ("cross_attn.v[5:5]", "selects nothing"),
        ("cross_attn.v[9:5]", "reaches outside"),
        ("cross_attn.v[x]", "cannot read"),
        ("cross_attn.v[]", "cannot read the index"),
        ("cross_attn.v[1", "cannot read"),
        ("cross_attn.v[1,]", "cannot read the index"),
        ("", "empty term"),
        ("cross_attn.v,", "empty term"),
        ("cross_attn.v, text.nothing.here", "selects nothing"),
        ("zzz", "selects nothing; kinds here: cross_attn.k"),
        ("v" * 501, "a selector of 501 characters"),
        ("cross_attn.v\x1b[0m", "cannot read 'cross_attn.v.x1b"),
    ],
)
def test_what_cannot_be_meant_is_an_error(selector: str, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        select(selector, SITES)


@given(st.text(alphabet="cross_atn.kv*{},[]:-0123 ", max_size=60))
def test_any_text_picks_something_or_is_a_layout_error(text: str) -> None:
    try:
        assert select(text, SITES)
    except LayoutError as error:
        assert str(error)
