"""The search: one automaton for all that is looked for, over content of any size in windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick

from .needles import FOLD, Needle, forms
from .packed import MARKS, Mark, Unpacking

WINDOW_BYTES = 4 * 1024 * 1024
DEPTH_MAX = 4
"""So often is unpacked what was unpacked."""


class Leak(NamedTuple):
    """A canary found: which, in what form, and at which byte."""

    canary: str
    form: str
    place: int


class Sighting(NamedTuple):
    """A canary found in a file."""

    file: str
    leak: Leak


@dataclass(slots=True)
class Search:
    """What was found in a folder, and in how much."""

    sightings: list[Sighting] = field(default_factory=list)
    files: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class Scanner:
    """Looks for canaries, given as name and value; a name is all that is ever reported."""

    canaries: Mapping[str, str]
    more: Sequence[Needle] = ()
    """What else is looked for, such as digests of the canaries."""

    @cached_property
    def _sieve(self) -> _Sieve:
        written = (needle for name, value in self.canaries.items() for needle in forms(name, value))
        return _Sieve([*written, *self.more])

    def scan(self, content: bytes) -> list[Leak]:
        """Return the canaries in `content`, each once."""
        return self._first_of_each([content])

    def scan_file(self, path: Path) -> list[Leak]:
        """Return the canaries in a file of any size, each once."""
        with path.open("rb") as file:
            return self._first_of_each(iter(lambda: file.read(WINDOW_BYTES), b""))

    def scan_folder(self, folder: Path) -> Search:
        """Return the canaries in every file below `folder`, and in what the files are called."""
        search = Search()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            leaks = [*self.scan(name.encode()), *self.scan_file(path)]
            search.sightings += [Sighting(name, leak) for leak in leaks]
            search.files += 1
            search.size_bytes += path.stat().st_size
        return search

    def _first_of_each(self, pieces: Iterable[bytes]) -> list[Leak]:
        found: dict[str, Leak] = {}
        flow = _Flow(self._sieve)
        for piece in pieces:
            for leak in flow.feed(piece):
                found.setdefault(leak.canary, leak)
        for leak in flow.end():
            found.setdefault(leak.canary, leak)
        return list(found.values())


class _Sieve:
    """What is looked for, and how compressed content begins, in one automaton."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        unique: dict[bytes, list[Needle | Mark]] = {}
        sought: list[Needle | Mark] = [*needles, *MARKS]
        for wanted in sought:
            unique.setdefault(wanted.content.translate(FOLD), []).append(wanted)
        self.wanted = list(unique.values())
        self.automaton = BytesAhoCorasick(list(unique))
        self.overlap = max(map(len, unique)) + 2
        """So much of one window is looked at again in the next: a needle and its neighbours."""

    def hits(self, window: bytes) -> Iterator[tuple[Needle | Mark, int, int]]:
        """Return what is in a window: what it is, where it begins and where it ends."""
        folded = window.translate(FOLD)
        for index, first, end in self.automaton.find_matches_as_indexes(folded, overlapping=True):
            for wanted in self.wanted[index]:
                yield wanted, first, end


class _Flow:
    """One layer of content, looked through piece by piece, and what is compressed in it."""

    def __init__(self, sieve: _Sieve, layer: str = "", depth: int = 0) -> None:
        self.sieve, self.layer, self.depth = sieve, layer, depth
        self.tail = b""
        self.start = 0
        """At which byte of the layer the tail begins."""
        self.seen = 0
        """Up to which byte every hit that ends there was reported."""
        self.inner: list[tuple[Unpacking, _Flow]] = []

    def feed(self, piece: bytes) -> Iterator[Leak]:
        """Look through what comes next, but for the last byte: what follows it counts."""
        yield from self._feed_inner(piece)
        window = self.tail + piece
        yield from self._look(window, self.start + len(window) - 1)
        kept = min(len(window), self.sieve.overlap)
        self.start += len(window) - kept
        self.tail = window[len(window) - kept :]

    def end(self) -> Iterator[Leak]:
        """Look through what is left."""
        yield from self._look(self.tail, self.start + len(self.tail))
        for unpacking, flow in self.inner:
            yield from _end(unpacking, flow)

    def _feed_inner(self, piece: bytes) -> Iterator[Leak]:
        running, self.inner = self.inner, []
        for unpacking, flow in running:
            yield from self._unpack(unpacking, flow, piece, 0)

    def _look(self, window: bytes, until: int) -> Iterator[Leak]:
        for wanted, first, end in self.sieve.hits(window):
            if not self.seen < self.start + end <= until:
                continue
            if isinstance(wanted, Needle):
                if not wanted.whole or _whole(window, first, end):
                    yield Leak(wanted.canary, self.layer + wanted.form, self.start + first)
            elif self.depth < DEPTH_MAX and wanted.begins(window, first):
                unpacking = Unpacking(wanted)
                inner = _Flow(self.sieve, f"{self.layer}{unpacking.name}, ", self.depth + 1)
                yield from self._unpack(unpacking, inner, window, first)
        self.seen = until

    def _unpack(
        self, unpacking: Unpacking, flow: _Flow, piece: bytes, start: int
    ) -> Iterator[Leak]:
        for unpacked in unpacking.feed(piece, start):
            yield from flow.feed(unpacked)
        if unpacking.over:
            yield from _end(unpacking, flow)
        else:
            self.inner.append((unpacking, flow))


def _end(unpacking: Unpacking, flow: _Flow) -> Iterator[Leak]:
    yield from flow.feed(unpacking.end())
    yield from flow.end()


def _whole(window: bytes, first: int, end: int) -> bool:
    """Say whether no letter or digit stands on either side."""
    beside = window[max(0, first - 1) : first] + window[end : end + 1]
    return not any(chr(one).isalnum() for one in beside if one < 128)  # noqa: PLR2004  ASCII
