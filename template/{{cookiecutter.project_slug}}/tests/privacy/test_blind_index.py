"""A blind index finds a value again, and is of no use to whoever lacks its key."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourbank.privacy.blind_index import BlindIndex, normal_email

SECRET = bytes(range(32))
EMAIL = BlindIndex(SECRET, "email")


@given(st.text(st.characters()), st.text(st.characters()))
def test_equal_values_have_equal_digests_and_others_have_not(one: str, other: str) -> None:
    assert (EMAIL.digest(one) == BlindIndex(SECRET, "email").digest(other)) is (one == other)


def test_each_purpose_and_each_secret_has_its_own_digests() -> None:
    digests = {
        EMAIL.digest("ada@example.com"),
        BlindIndex(SECRET, "idempotency-key").digest("ada@example.com"),
        BlindIndex(bytes(32), "email").digest("ada@example.com"),
        hashlib.sha256(b"ada@example.com").digest(),
    }
    assert len(digests) == 4
    assert {len(digest) for digest in digests} == {32}


@pytest.mark.parametrize("size", [0, 31])
def test_a_secret_that_could_be_guessed_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes or more"):
        BlindIndex(bytes(size), "email")


@pytest.mark.parametrize(
    "spelling",
    ["ada@example.com", " Ada@Example.COM\n", "ＡＤＡ@example.com", "ada\uff20example.com"],  # noqa: RUF001 (on purpose)
)
def test_an_address_is_found_in_any_spelling(spelling: str) -> None:
    assert normal_email(spelling) == "ada@example.com"
