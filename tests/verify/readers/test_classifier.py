from __future__ import annotations

import pytest

from surgery.errors import UsageError
from surgery.judges.classifier import load_classifier
from surgery.verify.readers.classifier import ClassifierReader
from surgery.verify.values import Ask
from tests.judges.build import random_pictures
from tests.judges.classifiers import LABELS, write_classifier
from tests.verify.build import asked

ASKS = [Ask("", number) for number in range(4)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> ClassifierReader:
    return ClassifierReader(load_classifier(write_classifier(tmp_path_factory.mktemp("model"))))


def test_a_concept_is_shown_where_its_label_is_the_likeliest(reader: ClassifierReader) -> None:
    pictures = random_pictures(4)
    chances = reader.classifier.chances(pictures)
    found = reader.read(asked("erased", "van gogh"), ASKS, pictures)
    assert [one.score for one in found] == pytest.approx(chances[:, 0].tolist())
    assert [one.shown for one in found] == (chances.argmax(1) == 0).tolist()
    assert [one.seen for one in found] == [LABELS[one] for one in chances.argmax(1).tolist()]


def test_a_kept_concept_without_a_label_is_not_judged(reader: ClassifierReader) -> None:
    reader.check(asked("kept", "picasso"))
    found = reader.read(asked("kept", "picasso"), ASKS, random_pictures(4))
    assert {(one.shown, one.score) for one in found} == {(None, None)}
    assert all(one.seen in LABELS for one in found)


def test_an_erased_concept_without_a_label_is_refused(reader: ClassifierReader) -> None:
    with pytest.raises(UsageError, match="no label for 'picasso'"):
        reader.check(asked("erased", "picasso"))
    reader.check(asked("erased", "van gogh"))


def test_it_names_its_model_and_weights(reader: ClassifierReader) -> None:
    facts = reader.facts
    assert (facts.name, facts.model) == ("classifier", reader.classifier.address)
    assert facts.revision == reader.classifier.digest
