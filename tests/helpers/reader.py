"""What a reader of HTML sees of a page: its elements, their attributes and its words."""

from __future__ import annotations

from html.parser import HTMLParser

LOADING = {"src", "href", "srcset", "action", "data", "poster", "formaction"}
VOID = {"img", "input", "link", "meta"}


class Reader(HTMLParser):
    """Reads a page, and fails where an element is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)


def read(page: str) -> Reader:
    """A whole page, every element of which is closed."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def words(page: str) -> str:
    """Its words on one line."""
    return " ".join(" ".join(read(page).words).replace("\u00a0", " ").split())
