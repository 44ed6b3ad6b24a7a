"""SHR: where, when and for which keys an erasure is effective, and when it must wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bank_conformance.bank.shapes import Customer, Erasure, read
from bank_conformance.history import Operation
from bank_conformance.verdict import Coverage, Decision, Finding
from bank_conformance.workloads.legal_holds import Held, LegalHolds, Try, legal_holds
from bank_conformance.workloads.replicas import Gone, Replicas, replicas
from bank_conformance.workloads.rotation import Rotation, rotation

from .check import Check
from .planted import leaks, not_erased, readable

EVERYWHERE = "an erasure is effective at every address within the published time"
WAITS = "while a legal hold stands, nothing destroys what it protects"
CARRIED_OUT = "an erasure that waited is carried out once nothing forbids it"
UNASKED = "the end of a hold erases nobody whose erasure was not asked for"
OLD = "what was sealed before a rotation stays readable after it"
ALL_VERSIONS = "an erasure destroys every version of a key"


def gone_everywhere(record: Replicas) -> Decision:
    """SHR-9: from the published time on, no address shows anything of who was erased."""
    if not record.given:
        return Decision(skip="the target file names no replicas")
    if len(record.addresses) <= 1:
        return Decision(skip=f"none of the {record.given} replicas of the target file serves")
    for one in record.gone:
        if undone := not_erased(one.erasure):
            return undone
    findings = [finding for one in record.gone for finding in _still_shown(one)]
    control = sum(len(readable(one.control, one.party.canaries)) for one in record.gone)
    planted = sum(len(one.party.canaries) for one in record.gone)
    late = [view for one in record.gone for view in _after(one)]
    return Decision(
        tuple(findings),
        (
            Coverage("addresses", len(record.addresses), 2),
            Coverage("canaries readable before", control, planted),
            Coverage("answers after the published time", len(late), 20),
            Coverage("ms until nothing showed", round(max(map(_shown_ms, record.gone)))),
        ),
    )


def _after(one: Gone) -> list[Operation]:
    return [view for view in one.views if view.invoked > one.effective]


def _still_shown(one: Gone) -> Iterator[Finding]:
    """Judge what was shown once nothing may show; an answer names its address by its session."""
    planted = {**one.party.canaries, **one.late}
    yield from leaks(EVERYWHERE, _after(one), planted, one.party.name)


def _shown_ms(one: Gone) -> float:
    """Return how long something showed after the erasure was answered."""
    shows = [view for view in one.views if readable([view], one.party.canaries)]
    return 1000 * max((view.completed - one.erased for view in shows), default=0.0)


def held_then_erased(record: LegalHolds) -> Decision:
    """SHR-12: a hold is honoured on every way to an erasure; once it is over, the data goes."""
    everybody = [one.party for one in record.held] + [record.bystander]
    planted = {f"{one.name}: {k}": v for one in everybody for k, v in one.canaries.items()}
    findings: list[Finding] = []
    for one in record.held:
        findings += _destroyed_early(one)
    if retained := _retained(record):
        return Decision(tuple(findings), skip=f"the bank keeps the data by itself until {retained}")
    for one in record.held:
        findings += _carried_out(one, record.resumed_seconds)
    findings += _unasked(record)
    before = readable(record.control, planted)
    tries = [one for held in record.held for one in held.tries]
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(before), len(planted)),
            Coverage("ways to an erasure that was held", len({one.way for one in tries}), 4),
            Coverage("holds lifted", sum(one.ending == "lifted" for one in record.held), 1),
            Coverage("over by their date", sum(one.ending != "lifted" for one in record.held)),
        ),
    )


def _retained(record: LegalHolds) -> str:
    """Return until when the bank itself forbids what a hold no longer does, empty for never."""
    told = [read(one.erasure, Erasure).until or "" for held in record.held for one in held.tries]
    until = max(told, default="")
    return until if until > max(held.until for held in record.held) else ""


def _destroyed_early(held: Held) -> Iterator[Finding]:
    for one in held.tries:
        told = tuple(view for view in (one.asked, one.erasure, one.customer) if view)
        erasure, customer = read(one.erasure, Erasure), read(one.customer, Customer)
        if erasure.state != "ON_LEGAL_HOLD" or (erasure.until or "") < held.until:
            held_until = f"on hold until {held.until}"
            text = f"{held_until}, {one.way}: the erasure is {erasure.state} until {erasure.until}"
            yield Finding(WAITS, text, told)
        if customer.state != "ACTIVE" or customer.personal is None:
            text = f"on hold until {held.until}, {one.way}: the personal data is gone"
            yield Finding(WAITS, text, told)
        yield from _told_wrong(one)
    if held.served is not None and not held.served.ok:
        yield Finding(WAITS, "a customer on hold is not served any more", (held.served,))


def _told_wrong(one: Try) -> Iterator[Finding]:
    if one.asked is not None and one.asked.ok:
        state = read(one.asked, Erasure).state
        if state != "ON_LEGAL_HOLD":
            text = f"{one.way}, an erasure on hold is answered with {state}"
            yield Finding(WAITS, text, (one.asked,))


def _carried_out(held: Held, seconds: float) -> Iterator[Finding]:
    last = held.waited[-1]
    if read(last, Erasure).state != "ERASED":
        text = f"{seconds:.0f} s after the hold was {held.ending}, the erasure is not carried out"
        yield Finding(CARRIED_OUT, text, (held.waited[0], last))
        return
    when = f"after the hold was {held.ending}"
    yield from leaks(CARRIED_OUT, held.views, held.party.canaries, when)


def _unasked(record: LegalHolds) -> Iterator[Finding]:
    planted = record.bystander.canaries
    if lost := planted.keys() - readable(record.bystander_views, planted):
        text = f"a bystander whose hold was lifted lost {len(lost)} of {len(planted)} texts"
        yield Finding(UNASKED, text, tuple(record.bystander_views))


def readable_until_erased(record: Rotation) -> Decision:
    """SHR-15: rotations take nothing away; an erasure takes everything, whichever key sealed it."""
    if undone := not_erased(record.erasure):
        return undone
    findings: list[Finding] = []
    control, *kept = record.kept
    for turn in kept:
        findings += _lost(turn.views, turn.planted, turn.after)
    for turn in record.erased:
        findings += leaks(ALL_VERSIONS, turn.views, turn.planted, f"after {turn.after}")
    for turn in [*kept, *record.erased]:
        findings += _lost(turn.other_views, turn.other_planted, f"{turn.after}, at the other party")
    before = readable(control.views, control.planted)
    return Decision(
        tuple(findings),
        (
            Coverage("canaries readable before", len(before), len(control.planted)),
            Coverage("looks before the erasure", len(record.kept), 4),
            Coverage("looks after it", len(record.erased), 2),
        ),
    )


def _lost(views: Sequence[Operation], planted: Mapping[str, str], after: str) -> Iterator[Finding]:
    for name in sorted(planted.keys() - readable(views, planted)):
        yield Finding(OLD, f"after {after}: the {name} is not readable", tuple(views))


CHECKS = (
    Check("SHR-9", replicas, gone_everywhere, needs=("erasure",)),
    Check(
        "SHR-12",
        legal_holds,
        held_then_erased,
        needs=("erasure", "legal_holds"),
        uses=("stop", "start", "clock"),
    ),
    Check("SHR-15", rotation, readable_until_erased, needs=("erasure",), hooks=("rotate",)),
)
