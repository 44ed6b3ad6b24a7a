"""Old shapes become today's one step at a time, by pure functions; what is stored stays.

The example lived three times: a parcel had a weight in pounds, then in grams, and now it has a size
as well.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ourbank.eventsourcing.codec import (
    Codec,
    UnknownEventTypeError,
)
from ourbank.eventsourcing.event import Recorded
from ourbank.eventsourcing.upcasting import Upcasting


@dataclass(frozen=True, slots=True)
class ParcelWeighed:
    parcel: str
    weight_grams: int
    size: str
    weighed_at: datetime


@dataclass(frozen=True, slots=True)
class ParcelSent:
    parcel: str


def in_grams(members: dict[str, Any]) -> dict[str, Any]:
    pounds = members.pop("pounds")
    return members | {"weight_grams": round(pounds * 454)}


def with_size(members: dict[str, Any]) -> dict[str, Any]:
    return members | {"size": "large" if members["weight_grams"] > 1_000 else "small"}


UPCASTING = Upcasting({("ParcelWeighed", 1): in_grams, ("ParcelWeighed", 2): with_size})
CODEC = Codec([ParcelWeighed, ParcelSent], UPCASTING)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
V1 = '{"parcel":"p","pounds":2,"weighed_at":"2026-03-02T09:00:00Z"}'
V2 = '{"parcel":"p","weight_grams":908,"weighed_at":"2026-03-02T09:00:00Z"}'
V3 = '{"parcel":"p","weight_grams":908,"size":"small","weighed_at":"2026-03-02T09:00:00Z"}'
TODAY = ParcelWeighed("p", 908, "small", AT)


@pytest.mark.parametrize(("version", "data"), [(1, V1), (2, V2), (3, V3)])
def test_every_version_there_was_becomes_the_same_event(version: int, data: str) -> None:
    assert CODEC.decode("ParcelWeighed", version, data) == TODAY


def test_only_the_newest_version_is_written() -> None:
    assert CODEC.encode(TODAY) == ("ParcelWeighed", 3, V3)


def test_a_type_without_upcasters_is_version_one() -> None:
    assert UPCASTING.current_version("ParcelSent") == 1
    assert CODEC.encode(ParcelSent("p")) == ("ParcelSent", 1, '{"parcel":"p"}')


def test_a_version_from_the_future_is_refused_by_name() -> None:
    with pytest.raises(UnknownEventTypeError, match="ParcelWeighed version 4 is from a newer"):
        CODEC.decode("ParcelWeighed", 4, V3)


def test_a_type_from_the_future_is_refused_by_name() -> None:
    with pytest.raises(UnknownEventTypeError, match="ParcelLost version 1 is from a newer"):
        CODEC.decode("ParcelLost", 1, "{}")


def test_a_gap_in_the_chain_is_an_error_and_not_skipped() -> None:
    gappy = Codec([ParcelWeighed], Upcasting({("ParcelWeighed", 2): with_size}))
    with pytest.raises(LookupError):
        gappy.decode("ParcelWeighed", 1, V1)


def test_an_upcaster_that_leaves_something_out_is_an_error() -> None:
    careless = Codec([ParcelWeighed], Upcasting({("ParcelWeighed", 1): lambda members: members}))
    with pytest.raises(msgspec.ValidationError, match="weight_grams"):
        careless.decode("ParcelWeighed", 1, V1)


def test_an_upcaster_that_gives_the_wrong_type_is_an_error() -> None:
    def as_text(members: dict[str, Any]) -> dict[str, Any]:
        return members | {"weight_grams": "908", "size": "small"}

    careless = Codec([ParcelWeighed], Upcasting({("ParcelWeighed", 1): as_text}))
    with pytest.raises(msgspec.ValidationError, match="weight_grams"):
        careless.decode("ParcelWeighed", 1, V1)


def test_what_stands_in_the_log_keeps_its_bytes_and_its_version() -> None:
    recorded = Recorded(0, 1, "par_1", 1, "ParcelWeighed", 1, AT, "{}", V1)
    after = CODEC.decoded(recorded)
    assert after.event == TODAY
    assert (after.data, after.schema_version) == (V1, 1)


def test_upcasting_does_not_hang_on_the_order_of_registration() -> None:
    other = Upcasting({("ParcelWeighed", 2): with_size, ("ParcelWeighed", 1): in_grams})
    assert other.upcast("ParcelWeighed", 1, msgspec.json.decode(V1)) == msgspec.json.decode(V3)
