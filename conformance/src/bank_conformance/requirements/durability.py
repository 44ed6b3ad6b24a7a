"""DUR and IDEM-4: what was acknowledged, what was not, and what was under way, across kills."""

from __future__ import annotations

from collections.abc import Iterator

from bank_conformance.deciders.multiplicity import Intent, Miscount, miscounts
from bank_conformance.history import Operation, Outcome
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.bench import Mark, Repeat
from bank_conformance.workloads.crashes import Crashes, Journey, crashes, found_done

from .check import Check, pick
from .idempotency import CONFLICT, SAME_ANSWER, answers, outcomes

SURVIVES = "what was acknowledged is there after a kill of every process"
ASKED_FOR = "there is nothing in the log that nobody asked for, and nothing twice"
ONE_EFFECT = "a command that is sent again after a kill has one effect"
GOES_ON = "a transfer under way at a kill ends within 2 s of the bank's return, unaided"
BOUND_SECONDS, LAST_MOMENT_SECONDS = 2.0, 0.1
NOT_FOUND = 404
HOOKS = ("kill", "start")


def acknowledged_survives(record: Crashes) -> Decision:
    """DUR-1: every effect that was acknowledged before a kill is in the log at rest."""
    found = set(record.effects) | record.ended_badly
    lost = [
        Finding(SURVIVES, f"{repeat.what}: {_shown(mark)} is not in the log", repeat.tries)
        for repeat in record.before
        for mark in repeat.marks
        if mark not in found and Outcome.OK in outcomes(repeat)
    ]
    lost += [
        Finding(SURVIVES, f"what {asked} made is gone: {look}", (asked, look))
        for asked, look in record.newcomers
        if asked.ok and look.status == NOT_FOUND
    ]
    lost += [
        Finding(SURVIVES, f"the transfer is gone: {journey.looks[-1]}", tuple(journey.looks[-1:]))
        for journey in record.journeys
        if journey.looks and journey.looks[-1].status == NOT_FOUND
    ]
    return Decision(
        tuple(lost),
        (
            _kills(record),
            Coverage("commands acknowledged before one", len(record.before), 60),
            Coverage("acknowledged in its last 100 ms", _last_moment(record), 5),
        ),
    )


def _kills(record: Crashes) -> Coverage:
    """Count the kills that hit a bank at work; a hook that kills nothing cuts nothing off."""
    return Coverage("kills amid commands", sum(map(bool, record.cut_off)), 3)


def _last_moment(record: Crashes) -> int:
    """How many acknowledgements came so shortly before a kill that a late commit would show."""
    done = [one.completed for repeat in record.before for one in repeat.tries if one.ok]
    gone = [min(one.completed for one in cut) for cut in record.cut_off if cut]
    return sum(any(0 <= end - t < LAST_MOMENT_SECONDS for end in gone) for t in done)


def nothing_unasked(record: Crashes) -> Decision:
    """DUR-2: every entry is some command's, and none of a command sent once is there twice."""
    once = [repeat for repeat in record.repeats if len(repeat.tries) == 1]
    wrong = [
        one
        for one in miscounts([*_intents(record, record.repeats)], record.effects)
        if one.intent is None or _surplus(one, one.intent)
    ]
    findings = [
        Finding(
            ASKED_FOR,
            f"{_shown(one.mark)}: {one}",
            pick(record.history, one.intent.operations) if one.intent else (),
        )
        for one in wrong
    ]
    unanswered = [one for one in once if Outcome.INFO in outcomes(one)]
    return Decision(
        tuple(findings),
        (
            _kills(record),
            Coverage("entries in the log", len(record.effects), 100),
            Coverage("commands left without an answer", len(unanswered), 5),
        ),
    )


def _surplus(wrong: Miscount[Mark], intent: Intent[Mark]) -> bool:
    """Say whether a command that was sent once took effect more often than its answer allows."""
    return len(intent.operations) == 1 and wrong.effects >= intent.effects().stop


def one_effect_across_kills(record: Crashes) -> Decision:
    """IDEM-4: commands without an answer, and acknowledged ones, sent again after a kill."""
    again = [*_intents(record, [one for one in record.again if _is_decided(one)])]
    marks = {intent.mark for intent in again}
    counted = [mark for mark in record.effects if mark in marks]
    findings = [
        Finding(ONE_EFFECT, f"{_shown(one.mark)}: {one}", _tries(record, one.intent))
        for one in miscounts(again, counted)
    ]
    for repeat in record.again:
        if _is_decided(repeat):
            findings += [one for one in answers(repeat) if one.expectation == SAME_ANSWER]
    cut_off = [one for one in record.again if one.tries[0].outcome is Outcome.INFO]
    return Decision(
        tuple(findings),
        (
            Coverage("commands cut off by a kill and sent again", len(cut_off), 12),
            Coverage("of them found done by then", len(found_done(record)), 2),
            Coverage("acknowledged ones sent again", len(record.again) - len(cut_off), 12),
        ),
    )


def transfers_go_on(record: Crashes) -> Decision:
    """DUR-3: no look later than the bound after the bank's return finds one still open."""
    findings = [
        Finding(GOES_ON, f"transfer {journey.transfer_id}: {late[0]}", (late[0], late[-1]))
        for journey in record.journeys
        if (late := _late(journey))
    ]
    under_way = [one for one in record.journeys if one.was_under_way or _late(one)]
    seen_open = [one for one in record.journeys if one.open_looks]
    followed = [one for one in record.journeys if any(look.ok for look in one.looks)]
    return Decision(
        tuple(findings),
        (
            Coverage("transfers acknowledged before a kill", len(followed), 30),
            Coverage("of them under way at it", len(under_way), 3),
            Coverage("seen under way after it", len(seen_open)),
        ),
    )


def _late(journey: Journey) -> list[Operation]:
    """Return the looks that found it open although the bound had passed when they were sent."""
    due = journey.outage.up + BOUND_SECONDS
    return [one for one in journey.open_looks if one.invoked > due]


def _is_decided(repeat: Repeat) -> bool:
    """Say whether the last try met neither silence nor another of the same key in flight."""
    last = repeat.tries[-1]
    return last.outcome is not Outcome.INFO and last.status != CONFLICT


def _intents(record: Crashes, repeats: list[Repeat]) -> Iterator[Intent[Mark]]:
    """Return what was asked for; a transfer that was accepted and ended badly must move nothing."""
    for repeat in repeats:
        indexes = tuple(one.index for one in repeat.tries)
        for mark in repeat.marks:
            ended_badly = mark in record.ended_badly
            yield Intent(mark, (Outcome.FAIL,) if ended_badly else outcomes(repeat), indexes)


def _tries(record: Crashes, intent: Intent[Mark] | None) -> tuple[Operation, ...]:
    return pick(record.history, intent.operations) if intent else ()


def _shown(mark: Mark) -> str:
    account, direction, amount = mark
    return f"{direction} {amount} on {account}"


CHECKS = (
    Check("IDEM-4", crashes, one_effect_across_kills, hooks=HOOKS),
    Check("DUR-1", crashes, acknowledged_survives, hooks=HOOKS),
    Check("DUR-2", crashes, nothing_unasked, hooks=HOOKS),
    Check("DUR-3", crashes, transfers_go_on, hooks=HOOKS),
)
