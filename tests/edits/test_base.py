from __future__ import annotations

import pytest
from pydantic import ValidationError

from surgery.edits.base import Concept


def test_a_concept_is_read_from_plain_data() -> None:
    concept = Concept.model_validate({"erase": "monet", "prompts": ["by {}", ["monet", "{}"]]})
    assert concept.prompts == ("by {}", ("monet", "{}"))
    assert concept.kind == "style"


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"erase": " "}, "erase: an empty prompt"),
        ({"erase": "monet", "target": ""}, "target: an empty prompt"),
        ({"erase": "the flag", "kind": "fact"}, "a fact needs the new fact"),
        ({"erase": "Van Gogh", "target": "van  gogh"}, "is the concept that is erased"),
        ({"erase": "monet", "kind": "artist"}, "'style', 'object' or 'fact'"),
        ({"erase": "monet", "prompts": []}, "at least 1 item"),
        ({"erase": "monet", "prompts": ["by monet"]}, "holds neither {}"),
        ({"erase": "monet", "prompts": [["by manet", "{}"]]}, "holds neither {} nor 'monet'"),
        ({"erase": "monet", "prompts": [["{}", "a photo"]]}, "nor the target"),
        ({"erase": "monet", "targets": "art"}, "Extra inputs"),
    ],
)
def test_a_concept_that_cannot_be_meant_is_an_error(fields: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Concept.model_validate(fields)
