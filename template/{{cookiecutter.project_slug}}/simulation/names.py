"""Lines as a person reads them: short names for ids, and nothing sealed, signed or absent."""

import re
from collections import Counter

_ID = re.compile(r"([a-z]{3})_[0-9a-f]{32}")
_LEFT_OUT = re.compile(r',?"\w+":null')
_SEALED = re.compile(r"\b(?:s1|eyJ[\w-]*)\.[\w.-]+")


class Names:
    """Short names for the ids of one run, in the order in which they are met."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def readable(self, line: str) -> str:
        """The line with `acc-3` for the third account, and `…` for what nobody can read."""
        line = _SEALED.sub("…", _LEFT_OUT.sub("", line))
        return _ID.sub(lambda found: self._name(found[0], found[1]), line)

    def _name(self, its_id: str, kind: str) -> str:
        if its_id not in self._names:
            self._counts[kind] += 1
            self._names[its_id] = f"{kind}-{self._counts[kind]}"
        return self._names[its_id]
