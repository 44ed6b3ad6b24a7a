"""A token says how far somebody has seen the log, and a read that brings it sees no less."""

import asyncio
from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ourbank.application.consistency import (
    Freshness,
    NotYetConsistentError,
    TokenError,
    positions,
    token,
)
from ourbank.eventsourcing.log import LogUnavailableError
from ourbank.eventsourcing.projection import Advance

INCARNATION, OTHER = "0a1b2c", "0a1b2d"
vectors = st.dictionaries(st.integers(0, 9_999), st.integers(0, 10**18 - 1), max_size=16)


@given(vectors)
def test_what_went_into_a_token_comes_out_of_it(at: dict[int, int]) -> None:
    assert positions(INCARNATION, 10_000, token(INCARNATION, at)) == at


@given(vectors)
def test_a_token_can_stand_in_a_header_and_in_a_url(at: dict[int, int]) -> None:
    assert set(token(INCARNATION, at)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


@given(vectors)
def test_equal_knowledge_makes_equal_tokens(at: dict[int, int]) -> None:
    assert token(INCARNATION, dict(reversed(at.items()))) == token(INCARNATION, at)


@given(vectors)
def test_a_token_of_another_incarnation_is_refused(at: dict[int, int]) -> None:
    with pytest.raises(TokenError):
        positions(INCARNATION, 10_000, token(OTHER, at))


@given(st.text(st.characters(), max_size=60))
@example("")
@example("\ud800")
@example("=" * 7)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenError):
        positions(INCARNATION, 10_000, text)


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "0a1b2c.",
        "0a1b2c.1",
        "0a1b2c.1-",
        "0a1b2c.1--2",
        "0a1b2c.-1-2",
        "0a1b2c.1-2 ",
        "0a1b2c.1-2\n",
        "0a1b2c.1-2.3",
        "0a1b2c.1-" + "9" * 19,
        "0a1b2c.12345-1",
        "0a1b2c.1-\u0662",
        " 0a1b2c",
    ],
)
def test_what_is_only_like_a_token_is_refused(inside: str) -> None:
    text = urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    with pytest.raises(TokenError):
        positions(INCARNATION, 10_000, text)


@pytest.mark.parametrize(
    ("partition", "is_known"), [(0, True), (3, True), (4, False), (9_999, False)]
)
def test_a_token_that_names_a_partition_there_is_none_of_is_refused(
    partition: int, is_known: bool
) -> None:
    text = token(INCARNATION, {0: 7, partition: 1})
    if is_known:
        assert positions(INCARNATION, 4, text)[partition] == 1
    else:
        with pytest.raises(TokenError):
            positions(INCARNATION, 4, text)


class Store:
    """Checkpoints that somebody else moves."""

    def __init__(self, at: dict[int, int]) -> None:
        self.at = at
        self.asked = 0
        self.is_away = False

    async def positions(self, read_model: str) -> dict[int, int]:
        assert read_model == "accounts"
        self.asked += 1
        if self.is_away:
            raise LogUnavailableError
        return self.at


def advance(after: int) -> Advance:
    return Advance("accounts", partition=3, epoch=1, before=0, after=after)


async def test_what_this_process_has_folded_is_known_without_asking() -> None:
    store = Store({})
    freshness = Freshness(store)
    freshness.advanced([advance(5)])
    await freshness.wait("accounts", 3, 5, 0)
    assert (freshness.position("accounts", 3), freshness.position("accounts", 2)) == (5, 0)
    assert store.asked == 0


async def test_a_read_waits_until_this_process_has_come_as_far() -> None:
    freshness = Freshness(Store({}))
    waiting = asyncio.create_task(freshness.wait("accounts", 3, 5, 10))
    for position in (3, 4):
        freshness.advanced([advance(position)])
        await asyncio.sleep(0.02)
        assert not waiting.done()
    freshness.advanced([advance(5)])
    await waiting


async def test_a_read_waits_until_another_process_has_come_as_far() -> None:
    store = Store({3: 4})
    waiting = asyncio.create_task(Freshness(store).wait("accounts", 3, 5, 10))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    store.at = {3: 5}
    await waiting


async def test_all_who_wait_share_one_look_at_the_store() -> None:
    store = Store({3: 4})
    freshness = Freshness(store)
    waiting = [asyncio.create_task(freshness.wait("accounts", 3, 5, 10)) for _ in range(100)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert store.asked == 1
    store.at = {3: 5}
    await asyncio.gather(*waiting)


async def test_a_store_that_goes_away_is_told_to_all_who_wait() -> None:
    store = Store({3: 4})
    freshness = Freshness(store)
    waiting = [asyncio.create_task(freshness.wait("accounts", 3, 5, 10)) for _ in range(3)]
    await asyncio.sleep(0.005)
    store.is_away = True
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [LogUnavailableError] * 3


async def test_when_the_time_is_up_it_refuses_and_never_answers_older() -> None:
    freshness = Freshness(Store({3: 4}))
    for seconds in (0, 0.03):
        with pytest.raises(NotYetConsistentError):
            await freshness.wait("accounts", 3, 5, seconds)


async def test_a_store_that_lags_behind_does_not_take_back_what_is_known() -> None:
    freshness = Freshness(Store({3: 1}))
    freshness.advanced([advance(5)])
    with pytest.raises(NotYetConsistentError):
        await freshness.wait("accounts", 3, 6, 0.02)
    assert freshness.position("accounts", 3) == 5


async def test_what_was_known_before_a_new_connection_is_looked_up_after_it() -> None:
    store = Store({3: 4})
    freshness = Freshness(store)
    freshness.advanced([advance(5)])
    freshness.doubt()
    assert freshness.position("accounts", 3) == 5  # as it was last heard of
    with pytest.raises(NotYetConsistentError):  # a crash has taken the last commit back
        await freshness.wait("accounts", 3, 5, 0.02)
    assert freshness.position("accounts", 3) == 4
    store.at = {3: 5}
    await freshness.wait("accounts", 3, 5, 10)


async def test_a_read_over_a_new_connection_is_repeated_once_it_is_sure_again() -> None:
    """The server crashed after it was known how far the read model had come, before the read."""
    store = Store({3: 4})
    freshness = Freshness(store)
    freshness.advanced([advance(5)])
    rows = ["as of 4", "as of 5"]

    async def read() -> str:
        if len(rows) == 2:
            freshness.doubt()
            store.at = {3: 5}
        return rows.pop(0)

    assert await freshness.read("accounts", {3: 5}, 10, read) == "as of 5"


async def test_what_the_store_said_before_a_new_connection_is_not_relied_on() -> None:
    store = Store({3: 5})
    freshness = Freshness(store)
    ask = store.positions

    async def crash(read_model: str) -> dict[int, int]:
        at = await ask(read_model)
        if store.asked == 1:
            freshness.doubt()
            store.at = {3: 4}
        return at

    store.positions = crash  # type: ignore[method-assign]
    with pytest.raises(NotYetConsistentError):
        await freshness.wait("accounts", 3, 5, 0.02)


async def test_a_read_that_has_seen_nothing_waits_for_nothing() -> None:
    async def read() -> int:
        return 7

    store = Store({})
    assert await Freshness(store).read("accounts", {}, 0, read) == 7
    assert await Freshness(store).read("accounts", {3: 0}, 0, read) == 7
    assert store.asked == 0
