"""A card says what the record says; what others wrote stays around its section, and is data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml
from markdown_it import MarkdownIt

from surgery.card import Subject, make_card, read_verified
from surgery.card.build import BEGIN, END
from surgery.errors import RecipeError, UsageError
from surgery.report import Gate, Record
from tests.report.test_records import RECORD

COMMIT = "a" * 40
EDIT = {"method": "quickfix", "concepts": [{"erase": "van gogh", "target": "painting"}]}
HUB = replace(
    RECORD,
    recipe={"version": 1, "name": "remove_it", "edits": [EDIT]},
    base=replace(RECORD.base, address=f"org/base@{COMMIT}"),
)
BASE_CARD = "---\nlicense: creativeml-openrail-m\ntags: [art]\n---\n# The base\n"
HOSTILE = (
    '<script>alert(1)</script> --- \n# x\n| a | ``` <!-- surgery:end --> [l](http://e.vil) "\\ no'
)


def front(text: str) -> dict[str, object]:
    first, rest, _ = text.split("---\n", 2)
    assert first == ""
    found = yaml.safe_load(rest)
    assert isinstance(found, dict)
    return found


def raw_html(text: str) -> list[str]:
    """Every piece of HTML that a renderer would pass on."""
    found, body = [], text.split("---\n", 2)[2]
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        for one in (token, *(token.children or [])):
            if one.type in {"html_block", "html_inline"}:
                found.append(one.content.strip())
    return found


def test_the_front_matter_is_what_the_hub_reads() -> None:
    card = make_card(Subject(HUB, "org/edited", base_card=BASE_CARD))
    assert front(card.text) == {
        "license": "creativeml-openrail-m",
        "base_model": "org/base",
        "base_model_relation": "finetune",
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "tags": ["surgery", "model-editing"],
    }
    assert raw_html(card.text) == [BEGIN, END]


def test_the_section_tells_recipe_change_measures_limits_and_use() -> None:
    text = make_card(Subject(HUB, "org/edited", pipeline="StableDiffusionPipeline")).text
    for part in (
        "# edited\n",
        f"`org/base@{COMMIT}`",
        "erase: van gogh",
        "| `a.weight` | F16 | 1 | 50 % |",
        "| van gogh | painting | 0.15; 0.2 | - |",
        "textual inversion",
        'StableDiffusionPipeline.from_pretrained("org/edited")',
        "surgery reproduce org/edited",
    ):
        assert part in text


def test_an_unknown_licence_is_other_and_said() -> None:
    for card in (None, "no front matter", "---\nlicense: [a]\n---\n", "---\n&a [\n---\n"):
        made = make_card(Subject(HUB, "org/edited", base_card=card))
        assert front(made.text)["license"] == "other"
        assert any("licence of the base is not known" in text for text in made.warnings)


def test_another_licence_keeps_its_name_and_link() -> None:
    base = "---\nlicense: other\nlicense_name: nc\nlicense_link: LICENSE.md\nx: 1\n---\n"
    made = make_card(Subject(HUB, "org/edited", base_card=base))
    found = front(made.text)
    assert (found["license"], found["license_name"], found["license_link"]) == (
        "other",
        "nc",
        "LICENSE.md",
    )
    assert "x" not in found
    assert not any("licence" in text for text in made.warnings)


def test_the_built_in_model_has_the_licence_of_surgery_and_no_place_on_the_hub() -> None:
    made = make_card(Subject(RECORD, "org/edited"))
    assert front(made.text)["license"] == "apache-2.0"
    assert "base_model" not in front(made.text)
    assert any("names no base_model" in text for text in made.warnings)


def test_what_is_there_stays_around_the_section() -> None:
    mine = "---\nlicense: mit\ntags: [mine, surgery, no]\nlanguage: en\n---\n# Mine\n\nbefore\n"
    once = make_card(Subject(HUB, "org/edited", existing=mine, base_card=BASE_CARD)).text
    found = front(once)
    assert (found["license"], found["language"]) == ("mit", "en")
    assert found["tags"] == ["mine", "surgery", "no", "model-editing"]
    assert once.index("before") < once.index(BEGIN)
    with_more = once + "after\n"
    again = make_card(Subject(replace(HUB, device="gpu"), "org/edited", existing=with_more)).text
    assert again == with_more
    assert make_card(Subject(HUB, "org/edited", existing=again)).text == again


def test_half_a_section_is_refused() -> None:
    for text in (f"x\n{BEGIN}\n", f"{END}\n"):
        with pytest.raises(UsageError, match="one mark of the section is missing"):
            make_card(Subject(HUB, "org/edited", existing=text))


def test_front_matter_that_cannot_be_read_is_not_thrown_away() -> None:
    with pytest.raises(RecipeError, match=r"README\.md"):
        make_card(Subject(HUB, "org/edited", existing="---\na: &b 1\n---\n"))


def hostile() -> Record:
    concept = {"erase": HOSTILE, "target": "painting"}
    edits = [{"method": "quickfix", "concepts": [concept]}]
    return replace(
        HUB,
        recipe={"version": 1, "name": "x", "description": HOSTILE, "edits": edits},
        tensors=tuple(replace(one, name=HOSTILE) for one in HUB.tensors),
        leaks=tuple(replace(one, concept=HOSTILE, target=HOSTILE) for one in HUB.leaks),
        gates=(Gate(HOSTILE, HOSTILE, HOSTILE, False),),
        versions={"surgery": HOSTILE},
    )


def test_hostile_names_are_data() -> None:
    report = json.dumps(
        {
            "kind": "verify",
            "after": f"x/{HOSTILE}",
            "gates": [{"name": HOSTILE, "found": HOSTILE, "limit": HOSTILE, "passed": False}],
        }
    )
    subject = Subject(
        hostile(),
        "org/edited",
        file="a<b>.safetensors",
        pipeline="P",
        base_card=f"---\nlicense_name: {json.dumps(HOSTILE)}\nlicense: other\n---\n",
        verified=read_verified(report, "r"),
    )
    text = make_card(subject).text
    assert front(text)["license_name"] == HOSTILE
    assert raw_html(text) == [BEGIN, END]
    tokens = MarkdownIt("commonmark").enable("table").parse(text.split("---\n", 2)[2])
    inline = [one for token in tokens for one in (token.children or [])]
    assert not any(one.type in {"link_open", "image"} for one in inline)
    headings = [token for token in tokens if token.type == "heading_open"]
    assert len(headings) == 1 + len({"done", "changed", "measured", "limits", "use", "check"})
    assert make_card(replace(subject, existing=text)).text == text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "edit", [{"method": "amplify_components"}, {"method": "uce", "strength": -1.0}]
)
def test_an_edit_that_amplifies_is_named_as_such(
    edit: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from surgery.card import sections

    monkeypatch.setattr(sections, "recipe_text", lambda record: "x: 1\n")
    record = replace(HUB, recipe={**HUB.recipe, "edits": [edit]})
    text = make_card(Subject(record, "org/edited")).text
    assert "**This edit amplifies" in text
    assert "amplified" in str(front(text)["tags"])
    assert "amplifies" not in make_card(Subject(HUB, "org/edited")).text


def test_a_single_file_says_where_to_put_it() -> None:
    text = make_card(Subject(HUB, "org/edited", file="sd.safetensors")).text
    assert "ComfyUI: put it into `models/checkpoints/`" in text
    assert "A1111 and Forge: put it into `models/Stable-diffusion/`" in text
    assert "surgery reproduce hf://org/edited/sd.safetensors" in text
    assert "sd.safetensors.surgery.json" in text
    assert front(text)["library_name"] == "diffusion-single-file"
