"""Redaction: nothing that is written names a token, or anybody's personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .history import History

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
LENGTH_MIN = 4
"""Shorter values are no secrets, and would redact half of everything."""


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
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._written, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    @cached_property
    def _written(self) -> dict[str, str]:
        """The name of each secret by each way of writing it: as it is, and inside JSON."""
        ways = (str, lambda value: _inside_json(value, ascii_only=False), _inside_json)
        return {way(value): name for value, name in self.secrets.items() for way in ways}

    def text(self, text: str) -> str:
        """Return `text` without secrets."""
        named = self._pattern.sub(lambda match: f"[{self._written[match[0]]}]", text)
        return JWT.sub("[token]", named)

    def json(self, value: Any) -> str:
        """Return `value` as JSON on one line, without secrets."""
        return self.text(json.dumps(value, ensure_ascii=False))

    def copy(self, value: Any) -> Any:
        """Return a copy of `value`, which JSON must be able to hold, without secrets."""
        return json.loads(self.json(value))


def _inside_json(value: str, *, ascii_only: bool = True) -> str:
    return json.dumps(value, ensure_ascii=ascii_only)[1:-1]


def _private(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the name and value of what is private in a request."""
    personal = body.get("personal")
    found = list(personal.items()) if isinstance(personal, dict) else []
    if body.get("narrative"):
        found.append(("narrative", body["narrative"]))
    return [(str(name), value) for name, value in found if isinstance(value, str)]
