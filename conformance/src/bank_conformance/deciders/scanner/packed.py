"""Compressed content, unpacked as it comes: gzip, zlib and zstd, as bytes, hexadecimal or base64.

Bytes go in piece by piece and unpacked bytes come out. What only looked like the beginning of
something compressed is over soon. Memory is bounded, whatever is in there.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import zstandard

from .needles import GROUP

PIECE_BYTES = 4096
UNPACKED_BYTES_MAX = 256 * 1024 * 1024
"""So much of one stream is looked at: behind that, a bomb has nothing new."""

ZSTD_WINDOW_BYTES_MAX = 1 << 27

_HEX = b"0123456789abcdefABCDEF"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_LINE_ENDS = b"\r\n"


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to compress: how it begins, and what unpacks it."""

    name: str
    magics: tuple[bytes, ...]
    decompressor: Callable[[], _Decompressor]


@dataclass(frozen=True, slots=True)
class Writing:
    """A way to write bytes as text: with which characters, and how it is read."""

    name: str
    alphabet: bytes
    group: int
    """So many characters are read at once."""
    read: Callable[[bytes], bytes]
    """Reads whole groups, or what is left at the end."""
    begin: Callable[[bytes], tuple[bytes, ...]]
    """How text begins that stands for bytes which begin so."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What compressed content begins with, as it is written."""

    packing: Packing
    writing: Writing | None
    content: bytes

    def begins(self, window: bytes, place: int) -> bool:
        """Say whether it really begins there: exactly so, and text not in the midst of a word."""
        found = window[place : place + len(self.content)]
        if self.writing is None:
            return found == self.content
        before = window[place - 1 : place] if place else b""
        return not before or before not in self.writing.alphabet


class Unpacking:
    """One stream of compressed content, for as long as it goes on."""

    def __init__(self, mark: Mark) -> None:
        self.name = mark.packing.name + (f" as {mark.writing.name}" if mark.writing else "")
        self.over = False
        self._writing = mark.writing
        self._decompressor = mark.packing.decompressor()
        self._unread = b""
        self._left = UNPACKED_BYTES_MAX

    def feed(self, data: bytes, start: int = 0) -> Iterator[bytes]:
        """Unpack what follows in `data`, from `start` on."""
        for place in range(start, len(data), PIECE_BYTES):
            if self.over:
                return
            piece = self._read(data[place : place + PIECE_BYTES])
            if unpacked := self._unpack(piece):
                yield unpacked

    def end(self) -> bytes:
        """Unpack what is left, once nothing follows."""
        return self._unpack(self._writing.read(self._unread)) if self._writing else b""

    def _read(self, piece: bytes) -> bytes:
        """Return the bytes that a piece stands for."""
        writing = self._writing
        if writing is None:
            return piece
        run = piece[: len(piece) - len(piece.lstrip(writing.alphabet + _LINE_ENDS))]
        self.over = len(run) < len(piece)
        text = self._unread + run.translate(None, _LINE_ENDS)
        whole = len(text) - len(text) % writing.group
        self._unread = text[whole:]
        return writing.read(text[:whole])

    def _unpack(self, piece: bytes) -> bytes:
        try:
            unpacked = self._decompressor.decompress(piece)
        except (zlib.error, zstandard.ZstdError):
            self.over = True
            return b""
        self._left -= len(unpacked)
        self.over = self.over or self._decompressor.eof or self._left < 0
        return unpacked


def _read_hex(text: bytes) -> bytes:
    return binascii.unhexlify(text[: len(text) // 2 * 2])


def _read_base64(text: bytes) -> bytes:
    whole = text if len(text) % GROUP != 1 else text[:-1]
    return base64.urlsafe_b64decode(whole + b"=" * (-len(whole) % GROUP))


def _zstd() -> _Decompressor:
    return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES_MAX).decompressobj()


def _begin_base64(magic: bytes) -> tuple[bytes, ...]:
    """Return the characters that are fixed, for each way in which the next byte may begin."""
    fixed = len(magic) * 4 // 3 + (1 if len(magic) % 3 == 2 else 0)  # noqa: PLR2004
    texts = (base64.b64encode(magic + bytes([following])) for following in range(0, 256, 64))
    return tuple(dict.fromkeys(text[:fixed] for text in texts))


_PACKINGS = (
    Packing("gzip", (b"\x1f\x8b\x08",), lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
    Packing("zlib", (b"x\x01", b"x^", b"x\x9c", b"x\xda"), zlib.decompressobj),
    Packing("zstd", (b"\x28\xb5\x2f\xfd",), _zstd),
)
_WRITINGS = (
    Writing("hex", _HEX, 2, _read_hex, lambda magic: (magic.hex().encode(),)),
    Writing("base64", _BASE64, GROUP, _read_base64, _begin_base64),
)

MARKS = tuple(
    mark
    for packing in _PACKINGS
    for magic in packing.magics
    for mark in (
        Mark(packing, None, magic),
        *(Mark(packing, way, text) for way in _WRITINGS for text in way.begin(magic)),
    )
)
