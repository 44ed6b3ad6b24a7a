"""Ids are unique, in the order of time, and tell their partition."""

import secrets
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from ourbank.eventsourcing.ids import (
    SLOT_COUNT,
    Ids,
    new_id,
    partition_of,
    slot_of,
)

moments = st.integers(0, 2**48 - 1)
bits = st.integers(0, 2**74 - 1)
slots = st.integers(0, SLOT_COUNT - 1)


@given(moments, bits, st.none() | slots)
def test_an_id_is_a_prefix_and_a_uuid_of_version_7(
    now_ms: int, random_bits: int, slot: int | None
) -> None:
    prefix, _, digits = new_id("jar", now_ms, random_bits, slot).partition("_")
    uuid = UUID(digits)
    assert (prefix, digits) == ("jar", uuid.hex)
    assert (uuid.version, uuid.variant) == (7, RFC_4122)
    assert uuid.int >> 80 == now_ms


@given(moments, bits, slots)
def test_an_id_has_the_slot_it_was_given(now_ms: int, random_bits: int, slot: int) -> None:
    assert slot_of(new_id("jar", now_ms, random_bits, slot)) == slot


@given(moments, bits, bits)
def test_all_randomness_is_in_the_id(now_ms: int, one: int, other: int) -> None:
    ids = {new_id("jar", now_ms, one), new_id("jar", now_ms, other)}
    assert (len(ids) == 1) == (one == other)


@given(moments, moments, bits, bits)
def test_later_ids_sort_after_earlier_ones(one: int, other: int, first: int, second: int) -> None:
    if one != other:
        ids = [new_id("jar", one, first), new_id("jar", other, second)]
        assert (ids[0] < ids[1]) == (one < other)


@given(moments, bits, st.integers(1, 1024))
def test_a_partition_is_the_slot_by_their_number(
    now_ms: int, random_bits: int, partition_count: int
) -> None:
    stream = new_id("jar", now_ms, random_bits)
    assert partition_of(stream, partition_count) == slot_of(stream) % partition_count


def test_a_stream_beside_another_shares_its_partition_for_any_number_of_them() -> None:
    ids = Ids(lambda: 1_700_000_000_000, secrets.randbits)
    for _ in range(100):
        one = ids.new("jar")
        beside = ids.new("lid", beside=one)
        assert beside.startswith("lid_")
        assert beside[4:] != one[4:]
        assert all(partition_of(one, p) == partition_of(beside, p) for p in (1, 3, 8, 1024))


def test_time_and_randomness_are_arguments() -> None:
    ids = Ids(lambda: 0x123456789ABC, lambda count: 2**count - 1)
    assert ids.new("jar") == "jar_123456789abc7fffbfffffffffffffff"


def test_streams_are_spread_over_the_partitions() -> None:
    ids = Ids(lambda: 0, secrets.randbits)
    assert {partition_of(ids.new("jar"), 8) for _ in range(500)} == set(range(8))
