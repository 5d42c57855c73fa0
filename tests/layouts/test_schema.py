"""Layout files are checked to the last key; adding one needs nothing elsewhere."""

from __future__ import annotations

import pytest

from surgery.errors import LayoutError
from surgery.layouts.schema import HERE, load_specs, read_part, read_spec

SPEC = {
    "family": "x",
    "naming": "y",
    "about": "z",
    "roles": {"denoiser": {"part": "unet", "prefixes": ["unet/"]}},
}
PART = {"about": "x", "anchors": ["a.weight"], "sites": {"ff.in": "a.weight"}}


def test_every_file_is_read() -> None:
    assert [spec.name for spec in load_specs()] == sorted(p.stem for p in HERE.glob("*.yaml"))


def test_every_part_is_used() -> None:
    used = {role.part.name for spec in load_specs() for role in spec.roles}
    assert used == {path.stem for path in (HERE / "parts").glob("*.yaml")}


def test_layouts_of_one_family_agree_on_their_site_kinds() -> None:
    def kinds(role: str, part: object) -> set[str]:
        return {f"{role}.{site.kind}" for site in part.sites}  # type: ignore[attr-defined]

    families: dict[tuple[str, str], set[str]] = {}
    for spec in load_specs():
        for role in spec.roles:
            found = kinds(role.role, role.part)
            known = families.setdefault((spec.family, role.role), found)
            assert known == found, spec.name


def test_layouts_of_one_family_are_probed_alike() -> None:
    families: dict[str, object] = {}
    for spec in load_specs():
        assert families.setdefault(spec.family, spec.located) == spec.located, spec.name


def test_every_window_is_one_that_a_probe_tries() -> None:
    for spec in load_specs():
        for window in spec.located.windows.values() if spec.located else ():
            assert spec.located and spec.located.probing
            first, last = (int(number) for number in window.split(":"))
            size, stride = spec.located.probing
            assert (last - first, first % stride) == (size, 0)
            assert last <= spec.located.layers


def test_every_rule_speaks_of_roles_and_facts_that_exist() -> None:
    for spec in load_specs():
        facts = {f"{role.role}.{fact}" for role in spec.roles for fact in role.part.facts}
        for rule in spec.where:
            left, relation, *right = rule.replace(" + ", " ").split()
            assert relation in ("==", "!=", "in")
            assert {word for word in (left, *right) if not word.isdigit()} <= facts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"roles": {"text": {"part": "clip", "prefixes": [""], "hidden": 1}}}, "x.text: unknown"),
        ({"roles": {"text": {"part": "klip", "prefixes": [""]}}}, "no part 'klip'"),
        ({"roles": {"text": {"prefixes": [""]}}}, "key 'part' is missing"),
        ({"lacks": [3]}, "expected a list of texts"),
        ({"roles": []}, "expected keys and values"),
        ({"located": {"layers": 16, "style": "8:10"}}, "key 'fact' is missing"),
        ({"located": {"layers": 16, "size": 2}}, "key 'stride' is missing"),
        ({"located": {"layers": 16, "size": 2, "stride": "one"}}, "expected a whole number"),
    ],
)
def test_a_wrong_layout_is_an_error(change: dict[str, object], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        read_spec("x", {**SPEC, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sites": {"ff.in": {"tensor": "a", "rows": 1}}}, "unknown key 'rows'"),
        ({"facts": {"width": "a.weight"}}, "a fact is 'PATTERN AXIS'"),
        ({"anchors": None}, "expected a list of texts"),
        ({"blocks": {"resnet": {"orders": []}}}, "x.resnet: unknown key 'orders'"),
        ({"sites": {"ff.in": "@other.weight"}}, "x.ff.in: there are no blocks 'other'"),
    ],
)
def test_a_wrong_part_is_an_error(change: dict[str, object], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        read_part("x", {**PART, **change})
