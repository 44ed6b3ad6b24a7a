"""Writing TOML: the standard library only reads it."""

from __future__ import annotations

import json


def quoted(text: str) -> str:
    """Return `text` as a basic string of TOML, whose escapes are JSON's but for one."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
