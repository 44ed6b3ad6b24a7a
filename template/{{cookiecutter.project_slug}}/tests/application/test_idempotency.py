"""A key belongs to who sent it, and a fingerprint tells another request under the same key."""

from itertools import combinations

from hypothesis import assume, given
from hypothesis import strategies as st

from ourbank.application.idempotency import IdempotencyKeys
from ourbank.privacy.blind_index import BlindIndex

KEYS = IdempotencyKeys(BlindIndex(b"a" * 32, "idempotency"))
OTHERS = IdempotencyKeys(BlindIndex(b"b" * 32, "idempotency"))
BODY = b'{"amount_minor":1,"currency":"EUR"}'
POST = KEYS.fingerprint("POST", "/v1/transfers", BODY)
printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


def test_the_same_request_has_the_same_key_and_fingerprint() -> None:
    assert KEYS.key("cus_1", "k") == KEYS.key("cus_1", "k")
    assert KEYS.fingerprint("POST", "/v1/transfers", BODY) == POST
    assert len(POST) == 32


def test_method_path_and_body_each_make_another_fingerprint() -> None:
    others = [
        KEYS.fingerprint("PUT", "/v1/transfers", BODY),
        KEYS.fingerprint("POST", "/v1/transfers/", BODY),
        KEYS.fingerprint("POST", "/v1/transfers", BODY.replace(b"1", b"2")),
        KEYS.fingerprint("POST", "/v1/transfers", b""),
        KEYS.fingerprint("POST", "/v1/transfers", b"null"),
    ]
    assert all(one != other for one, other in combinations([POST, *others], 2))


@given(printable, printable, printable, printable)
def test_one_principals_keys_are_never_anothers(
    principal: str, key: str, other_principal: str, other_key: str
) -> None:
    assume((principal, key) != (other_principal, other_key))
    assert KEYS.key(principal, key) != KEYS.key(other_principal, other_key)


def test_moving_a_character_from_the_principal_to_the_key_makes_another_key() -> None:
    assert KEYS.key("cus_1", "2:k") != KEYS.key("cus_1:2", "k")
    assert KEYS.key("1:a", "b") != KEYS.key("1", "a:b")


def test_without_the_secret_neither_can_be_computed() -> None:
    assert KEYS.key("cus_1", "k") != OTHERS.key("cus_1", "k")
    assert OTHERS.fingerprint("POST", "/v1/transfers", BODY) != POST
