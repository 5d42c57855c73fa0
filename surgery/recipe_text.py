"""YAML text to plain values with the line of each. Knows YAML and nothing of recipes.

Recipes are data from strangers, so most of YAML is refused: anchors, aliases, merges, tags,
directives, doubled keys, several documents. Scalars follow the YAML 1.2 core schema: `no` is text,
`1e-3` is a number, `1:30` is text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from surgery.errors import RecipeError
from surgery.store.text import visible

if TYPE_CHECKING:
    from ruamel.yaml.events import Event, ScalarEvent

# The YAML scanner needs microseconds for a word or line: with these, no recipe takes it a second.
MAX_BYTES = 1_000_000
MAX_LINES = 20_000
MAX_DEPTH = 32
MAX_VALUES = 25_000

Path = tuple[str | int, ...]
Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None

_WORDS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?\.(inf|Inf|INF))|\.(nan|NaN|NAN)")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 _./()'-]*(?<! )")
# Truth values of YAML 1.1, which other readers still know.
_OLD_TRUTH = frozenset({"y", "n", "yes", "no", "on", "off"})
_MAX_DIGITS = 400
_LONGEST_KEY = 80
# Source: the line breaks of YAML 1.1, which the scanner knows.
_BREAKS = "\n\r\x85\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Located:
    """Plain values, and for each field path the line (from 1) on which it stands.

    Args:
        origins: `file:line` of the fields that stand in another file.
    """

    value: Plain
    lines: Mapping[Path, int]
    where: str
    origins: Mapping[Path, str] = field(default_factory=dict)

    def at(self, path: Path) -> str:
        """`file:line: field.path` of a field, or of the nearest parent that is in the text."""
        known = path
        while known and known not in self.lines and known not in self.origins:
            known = known[:-1]
        place = self.origins.get(known) or f"{self.where}:{self.lines.get(known, 1)}"
        return f"{place}: {field_path(path)}" if path else place


def field_path(path: Path) -> str:
    """`("edits", 0, "ridge")` as a reader writes it: `edits[0].ridge`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_cut(visible(part))}"
    return text.removeprefix(".")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_KEY else f"{text[:_LONGEST_KEY]}..."


def read_yaml(raw: bytes, where: str) -> Located:
    """Read one YAML document strictly.

    Raises:
        RecipeError: not UTF-8, not YAML, too large or too deep, or YAML that recipes do not use.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = _decode(raw, where)
    lines: dict[Path, int] = {}
    try:
        return Located(_Builder(_events(text, where), lines, where).document(), lines, where)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        problem = visible(str(error.problem or error.context))
        raise RecipeError(f"not valid YAML: {problem}", where=f"{where}{line}") from error
    except YAMLError as error:
        problem = visible(str(error).splitlines()[0])
        raise RecipeError(f"not valid YAML: {problem}", where=where) from error


def _decode(raw: bytes, where: str) -> str:
    if len(raw) > MAX_BYTES:
        raise RecipeError(f"a recipe holds at most {MAX_BYTES:,} bytes", where=where)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"not UTF-8 text (byte {error.start})", where=where, hint="save it as UTF-8"
        ) from error
    if sum(map(text.count, _BREAKS)) > MAX_LINES:
        raise RecipeError(f"a recipe holds at most {MAX_LINES:,} lines", where=where)
    return text


def _events(text: str, where: str) -> Iterator[Event]:
    """The parser's events; what recipes do not use is refused at its first character."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scanner import Scanner

    class Plain(Scanner):
        """Reads no name of an anchor, alias or tag and no directive: some take it for ever."""

        def refuse(self, what: str) -> None:
            shown = _cut(visible(self.reader.prefix(_LONGEST_KEY + 1).split("\n")[0].split(" ")[0]))
            line = self.reader.get_mark().line + 1
            raise RecipeError(f"a recipe uses no {what} ({shown})", where=f"{where}:{line}")

        def fetch_anchor(self) -> None:
            self.refuse("anchor")

        def fetch_alias(self) -> None:
            self.refuse("alias")

        def fetch_tag(self) -> None:
            self.refuse("tag")

        def fetch_directive(self) -> None:
            self.refuse("directive")

    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = Plain
    return iter(yaml.parse(text))


class _Builder:
    """Builds the values of one document from parser events, refusing what recipes do not use."""

    def __init__(self, events: Iterator[Event], lines: dict[Path, int], where: str) -> None:
        self._events, self._lines, self._where, self._values = events, lines, where, 0

    def document(self) -> Plain:
        from ruamel.yaml.events import StreamEndEvent

        next(self._events)
        start = next(self._events)
        if isinstance(start, StreamEndEvent):
            raise RecipeError("the recipe is empty", where=self._where)
        value = self._value(next(self._events), ())
        next(self._events)
        if not isinstance(after := next(self._events), StreamEndEvent):
            raise self._refuse(after, "one file holds one recipe, not several documents")
        return value

    def _value(self, event: Event, path: Path) -> Plain:
        from ruamel.yaml.events import MappingStartEvent, ScalarEvent, SequenceStartEvent

        self._check(event, path)
        self._lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        assert isinstance(event, ScalarEvent)
        return self._scalar(event)

    def _check(self, event: Event, path: Path) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._refuse(event, f"a recipe holds at most {MAX_VALUES:,} values")
        if len(path) > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")

    def _mapping(self, path: Path) -> dict[str, Plain]:
        from ruamel.yaml.events import MappingEndEvent, ScalarEvent

        built: dict[str, Plain] = {}
        while not isinstance(key := next(self._events), MappingEndEvent):
            self._check(key, path)
            if not isinstance(key, ScalarEvent):
                raise self._refuse(key, "a key is plain text")
            name = self._text(key)
            if name == "<<" and key.implicit[0]:
                raise self._refuse(key, "a recipe uses no merge key (<<)")
            if name in built:
                raise self._refuse(key, f"the key '{visible(name)}' stands twice in one mapping")
            self._lines[(*path, name)] = key.start_mark.line + 1
            built[name] = self._value(next(self._events), (*path, name))
        return built

    def _sequence(self, path: Path) -> list[Plain]:
        from ruamel.yaml.events import SequenceEndEvent

        built: list[Plain] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            built.append(self._value(event, (*path, len(built))))
        return built

    def _scalar(self, event: ScalarEvent) -> Plain:
        text = self._text(event)
        plain = event.implicit[0] and len(text) <= _MAX_DIGITS
        return core_scalar(text) if plain else text

    def _text(self, event: ScalarEvent) -> str:
        text = str(event.value)
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise self._refuse(event, "text holds half a surrogate pair")
        return text

    def _refuse(self, event: Event, what: str) -> RecipeError:
        return RecipeError(what, where=f"{self._where}:{event.start_mark.line + 1}")


def core_scalar(text: str) -> str | int | float | bool | None:
    """A plain (unquoted) scalar by the YAML 1.2 core schema.

    Source: YAML 1.2.2, section 10.3.2.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text


def write_yaml(value: object) -> str:
    """YAML text that `read_yaml` reads back as the same value; keys keep their order."""
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Quotes every text that could be read as anything else."""

        def text(self, data: str) -> ScalarNode:
            is_plain = _PLAIN.fullmatch(data) and core_scalar(data) == data
            style = None if is_plain and data.lower() not in _OLD_TRUTH else '"'
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Representer.add_representer(str, Representer.text)
    writer = YAML(typ="safe", pure=True)
    writer.Representer = Representer
    writer.default_flow_style, writer.width = False, 2**20
    # ruamel types its settings by their first value, here None.
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    out = io.StringIO()
    writer.dump(value, out)
    return out.getvalue()
