"""Redaction: nothing that is written names a token, or anybody's personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

from ahocorasick_rs import AhoCorasick, MatchKind

from .history import History

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
LENGTH_MIN = 4
"""Shorter values are no secrets, and would redact half of everything."""

WORD_LENGTH_MAX = 8
"""A shorter value may be a part of any word: "rent" is one of "different"."""


@dataclass(frozen=True)
class Redactor:
    """Replaces known secrets, each by its name in brackets."""

    secrets: dict[str, str]
    """The name of each secret, by its value."""

    @classmethod
    def of(cls, tokens: Iterable[str], histories: Iterable[History]) -> Redactor:
        """Return a redactor of the tokens, and of what the histories' requests gave away."""
        secrets = dict.fromkeys(tokens, "token")
        for operation in (operation for history in histories for operation in history):
            body = operation.call.body
            if isinstance(body, dict):
                secrets |= {value: name for name, value in _private(body)}
        return cls({value: name for value, name in secrets.items() if len(value) >= LENGTH_MIN})

    @cached_property
    def _long(self) -> tuple[AhoCorasick, list[str]]:
        """What is looked for everywhere, in one automaton: a run has thousands of secrets."""
        written = [way for way in self._written if len(way) >= WORD_LENGTH_MAX]
        return AhoCorasick(written, matchkind=MatchKind.LeftmostLongest), written

    @cached_property
    def _short(self) -> re.Pattern[str]:
        """What is looked for where it stands by itself."""
        written = sorted((way for way in self._written if len(way) < WORD_LENGTH_MAX), key=len)
        found = "|".join(map(re.escape, reversed(written)))
        return re.compile(rf"(?<!\w)(?:{found})(?!\w)" if found else r"(?!)")

    @cached_property
    def _written(self) -> dict[str, str]:
        """The name of each secret by each way of writing it."""
        return {way: name for value, name in self.secrets.items() for way in _ways(value)}

    def text(self, text: str) -> str:
        """Return `text` without secrets."""
        automaton, written = self._long
        parts, end = list[str](), 0
        for index, start, stop in automaton.find_matches_as_indexes(text):
            parts += text[end:start], f"[{self._written[written[index]]}]"
            end = stop
        named = "".join([*parts, text[end:]])
        named = self._short.sub(lambda match: f"[{self._written[match[0]]}]", named)
        return JWT.sub("[token]", named)

    def json(self, value: Any) -> str:
        """Return `value` as JSON on one line, without secrets."""
        try:
            return self.text(json.dumps(value, ensure_ascii=False))
        except RecursionError:
            return json.dumps("[nested too deeply to be written]")

    def copy(self, value: Any) -> Any:
        """Return a copy of `value`, which JSON must be able to hold, without secrets."""
        return json.loads(self.json(value))


def _ways(value: str) -> set[str]:
    """Return a secret as it is, in a URL, in JSON, and in JSON that is itself a text in JSON."""
    inside = {_inside_json(value), _inside_json(value, ascii_only=False)}
    return {value, quote(value), quote_plus(value), *inside, *map(_inside_json, inside)}


def _inside_json(value: str, *, ascii_only: bool = True) -> str:
    return json.dumps(value, ensure_ascii=ascii_only)[1:-1]


def _private(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the name and value of what is private in a request."""
    personal = body.get("personal")
    found = list(personal.items()) if isinstance(personal, dict) else []
    if body.get("narrative"):
        found.append(("narrative", body["narrative"]))
    return [(str(name), value) for name, value in found if isinstance(value, str)]
