"""What is stored can be read again: in today's shape, or not at all."""

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourbank.eventsourcing.codec import (
    Codec,
    StateCodec,
    UnknownEventTypeError,
)
from ourbank.eventsourcing.upcasting import Upcasting

from .jars import CODEC, Filled, Jar


@dataclass(frozen=True, slots=True)
class Labelled:
    label: str
    language: str = "en"
    note: str | None = None


@given(st.builds(Labelled, st.text(), st.text(), st.none() | st.text()))
def test_what_is_encoded_is_decoded_to_the_same(event: Labelled) -> None:
    codec = Codec([Labelled])
    assert codec.decode(*codec.encode(event)) == event


def test_the_stored_type_is_the_name_of_the_class_and_the_bytes_are_json() -> None:
    assert CODEC.encode(Filled(7)) == ("Filled", 1, '{"amount":7}')


@pytest.mark.parametrize(
    "stored",
    [("Emptied", 1, "{}"), ("Filled", 2, '{"amount":7}')],
    ids=["unknown type", "newer version"],
)
def test_what_a_newer_release_wrote_is_refused(stored: tuple[str, int, str]) -> None:
    with pytest.raises(UnknownEventTypeError, match="is from a newer release"):
        CODEC.decode(*stored)


def test_what_is_not_of_the_type_is_refused() -> None:
    for data in ('{"amount":"7"}', "{}", "", "[]"):
        with pytest.raises(msgspec.DecodeError):
            CODEC.decode("Filled", 1, data)


def test_old_shapes_are_read_in_todays() -> None:
    def split(members: dict[str, str]) -> dict[str, str]:
        label, _, language = members["text"].partition("@")
        return {"label": label, "language": language}

    codec = Codec([Labelled], Upcasting({("Labelled", 1): split}))
    assert codec.encode(Labelled("jam"))[1] == 2
    assert codec.decode("Labelled", 1, '{"text":"Honig@de"}') == Labelled("Honig", "de")
    assert codec.decode("Labelled", 2, '{"label":"jam"}') == Labelled("jam")


@given(st.builds(Jar, st.integers(-(2**63), 2**63 - 1), st.booleans()))
def test_a_state_survives_a_snapshot(jar: Jar) -> None:
    codec = StateCodec(Jar)
    assert codec.decode(codec.encode(jar)) == jar


def test_the_fingerprint_changes_with_the_schema_and_with_nothing_else() -> None:
    @dataclass
    class Renamed:
        amount: int = 0
        is_broken: bool = False

    @dataclass
    class Retyped:
        level: float = 0
        is_broken: bool = False

    @dataclass
    class Widened:
        level: int = 0
        is_broken: bool = False
        label: str = ""

    prints = [StateCodec(shape).fingerprint for shape in (Jar, Renamed, Retyped, Widened)]
    assert len(set(prints)) == 4
    assert StateCodec(Jar).fingerprint == prints[0]
