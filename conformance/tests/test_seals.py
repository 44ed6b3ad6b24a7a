"""Seals that say which texts are equal are told from those that do not."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Any

import pytest
from bank_conformance.deciders.seals import common_runs, sealed_texts
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from hypothesis import given
from hypothesis import strategies as st

KEY, KEY_ID, ID = (
    os.urandom(32),
    base64.urlsafe_b64encode(os.urandom(12)).decode(),
    "acc_" + "0" * 32,
)


def _random(text: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(KEY).encrypt(nonce, text, None)


def _one_nonce(text: bytes) -> bytes:
    return bytes(12) + AESGCM(KEY).encrypt(bytes(12), text, None)


def _siv(text: bytes) -> bytes:
    return AESSIV(KEY).encrypt(text, None)


def _blocks(text: bytes) -> bytes:
    """A cipher that seals each block by itself, behind something random."""
    encryptor = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()  # noqa: S305  the defect
    return os.urandom(12) + encryptor.update(text.ljust(48, b"\0")) + encryptor.finalize()


def _event(sealed: bytes) -> dict[str, Any]:
    """An event with a sealed text, under the id of a key, beside what is not sealed."""
    written = f"s1.{KEY_ID}.{base64.urlsafe_b64encode(sealed).decode()}"
    plain = {"account_id": ID, "booked": "2026-11-23T10:00:00.000000+00:00", "amount_minor": 5}
    return plain | {"personal": [{"narrative": written}]}


TEXT, OTHER = b"rent 0123456789abcdef0123456789", b"gift fedcba9876543210fedcba9876"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_seals_under_random_nonces_tell_nothing(text: bytes, other: bytes) -> None:
    events = [_event(_random(one)) for one in (text, text, other)]
    assert common_runs(events[0], events[1], events[2:]) == set()


@pytest.mark.parametrize("seal", [_one_nonce, _siv, _blocks])
def test_seals_that_are_equal_where_texts_are_tell_it(seal: Callable[[bytes], bytes]) -> None:
    events = [_event(seal(one)) for one in (TEXT, TEXT, OTHER)]
    assert common_runs(events[0], events[1], events[2:])


def test_a_key_id_and_a_character_by_chance_tell_nothing() -> None:
    events = [_event(b"\0" + os.urandom(40)), _event(b"\0" + os.urandom(40)), _event(b"\xff" * 41)]
    assert any(run.endswith(".A") for run in common_runs(events[0], events[1], []))
    assert not common_runs(events[0], events[1], events[2:])


def test_a_key_id_that_other_seals_have_too_tells_nothing() -> None:
    events = [_event(_random(one)) for one in (TEXT, TEXT, OTHER)]
    assert common_runs(events[0], events[1], [])
    assert not common_runs(events[0], events[1], events[2:])


def test_only_what_can_be_sealed_is_taken_for_sealed() -> None:
    assert list(sealed_texts(_event(b""))) == []
    assert len(list(sealed_texts(_event(_random(b""))))) == 1
