"""A sealed text opens with its own key in its own place, and tells nothing else."""

import re
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ourbank.privacy.sealing import (
    DataKey,
    UnsealError,
    key_id_of,
    place,
    seal,
    seal_fields,
    unseal,
    unseal_fields,
)

KEY = DataKey.generate("cus_a")
OTHER = DataKey.generate("cus_b")
HERE = place("trf_1", 1, "payer_narrative")
texts = st.text(st.characters(), max_size=200)  # lone surrogates included: JSON can carry them
contexts = st.text(max_size=40)


@given(texts, contexts)
@example("\ud800", "")
@example("\0\x80\0", "")
def test_what_was_sealed_is_what_opens(text: str, context: str) -> None:
    assert unseal(KEY, seal(KEY, text, context), context) == text


@given(st.dictionaries(texts, texts, max_size=8))
def test_fields_are_sealed_and_opened_as_a_whole(fields: dict[str, str]) -> None:
    assert unseal_fields(KEY, seal_fields(KEY, fields, HERE), HERE) == fields


@given(texts)
def test_a_sealed_text_is_ascii_that_json_need_not_escape(text: str) -> None:
    assert re.fullmatch(r"s1\.[\w-]{16}\.[\w=-]+", seal(KEY, text, HERE), re.ASCII)


def test_sealing_twice_gives_two_texts() -> None:
    assert seal(KEY, "rent", HERE) != seal(KEY, "rent", HERE)


@given(texts, contexts, contexts)
def test_in_another_place_it_stays_shut(text: str, here: str, there: str) -> None:
    sealed = seal(KEY, text, here)
    if here != there:
        with pytest.raises(UnsealError, match="another place"):
            unseal(KEY, sealed, there)


@pytest.mark.parametrize(
    "there",
    [
        place("trf_2", 1, "payer_narrative"),
        place("trf_1", 2, "payer_narrative"),
        place("trf_1", 1, "payee_narrative"),
    ],
)
def test_stream_version_and_field_are_the_place(there: str) -> None:
    with pytest.raises(UnsealError):
        unseal(KEY, seal(KEY, "rent", HERE), there)


def test_texts_swapped_between_subjects_stay_shut() -> None:
    mine, theirs = seal(KEY, "rent", HERE), seal(OTHER, "rent", HERE)
    for key, sealed in ((KEY, theirs), (OTHER, mine)):
        with pytest.raises(UnsealError, match="another key"):
            unseal(key, sealed, HERE)


def test_the_subject_and_the_key_id_are_bound_even_where_the_key_is_the_same() -> None:
    sealed = seal(KEY, "rent", HERE)
    namesake = DataKey("cus_b", KEY.key_id, KEY.material)
    with pytest.raises(UnsealError, match="subject"):
        unseal(namesake, sealed, HERE)
    renamed = DataKey(KEY.subject, OTHER.key_id, KEY.material)
    with pytest.raises(UnsealError):
        unseal(renamed, sealed.replace(KEY.key_id, OTHER.key_id), HERE)


@given(st.data())
def test_altered_anywhere_it_stays_shut(data: st.DataObject) -> None:
    sealed = seal(KEY, "rent", HERE)
    index = data.draw(st.integers(0, len(sealed) - 1))
    altered = sealed[:index] + data.draw(st.characters()) + sealed[index + 1 :]
    if altered != sealed:
        with pytest.raises(UnsealError):
            unseal(KEY, altered, HERE)


def test_another_spelling_of_the_same_bytes_stays_shut() -> None:
    sealed = seal(KEY, "rent", HERE)
    for respelt in (sealed + "\n", sealed + "=", sealed.replace("s1.", "s1. "), sealed + "!"):
        with pytest.raises(UnsealError):
            unseal(KEY, respelt, HERE)


@given(texts)
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(UnsealError):
        unseal(KEY, text, HERE)
    with pytest.raises(UnsealError):
        unseal(KEY, f"s1.{KEY.key_id}.", HERE)


def test_short_values_of_a_small_domain_have_one_length() -> None:
    values = ["", "yes", "no", "rent", "alimony", "+4401632960"]
    assert len({len(seal(KEY, value, HERE)) for value in values}) == 1
    assert len(seal(KEY, "x" * 16, HERE)) > len(seal(KEY, "x" * 15, HERE))


def test_a_document_does_not_tell_which_fields_it_has() -> None:
    short = seal_fields(KEY, {"name": "Al"}, HERE)
    full = seal_fields(KEY, {"name": "Alexandra Example", "phone": "+44 1632 960000"}, HERE)
    assert len(short) == len(full)


def test_the_key_that_opens_a_text_is_named_in_it() -> None:
    assert key_id_of(seal(KEY, "rent", HERE)) == KEY.key_id
    with pytest.raises(UnsealError):
        key_id_of("rent")


def test_neither_key_nor_text_is_shown_by_reprs_and_errors() -> None:
    assert "material" not in repr(KEY)
    assert repr(KEY.material) not in repr(KEY)
    with pytest.raises(UnsealError) as caught:
        unseal(OTHER, seal(KEY, "a secret narrative", HERE), HERE)
    assert caught.value.__cause__ is None
    assert not {"a secret narrative", KEY.key_id, "cus_a"} & set(str(caught.value).split())


def test_a_simulation_can_replay_its_randomness() -> None:
    def entropy(start: int) -> DataKey:
        numbers = count(start)
        return DataKey.generate("cus_a", lambda size: bytes(next(numbers) for _ in range(size)))

    assert entropy(1) == entropy(1) != entropy(2)
    nonce = bytes(12)
    assert seal(KEY, "rent", HERE, entropy=lambda _: nonce) == seal(
        KEY, "rent", HERE, entropy=lambda _: nonce
    )
