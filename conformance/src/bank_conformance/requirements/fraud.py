"""QRY-5: fraud alerts are raised in time, with their inputs, and none without a pattern."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from bank_conformance.deciders.stable_latency import Judgement, Latency, decisive, latency
from bank_conformance.verdict import Coverage, Decision, Finding, Samples
from bank_conformance.workloads.fraud import BOUND_SECONDS, Plant, Planted, fraud

from .check import Check, pick

IN_TIME = "a pattern raises an alert within 2 s of the acknowledgement that completes it, for good"
ITS_INPUTS = "an alert names the entries that it rests on, once, and the rule as it is in force"
NONE_WITHOUT = "what is no pattern by the rule's parameters, in event time, raises no alert"
RULES_MIN = 3


def alerts_when_due(record: Planted) -> Decision:
    """QRY-5: every planted pattern and every one that only resembles one."""
    due = [plant for plant in record.plants if plant.pattern.due]
    others = [plant for plant in record.plants if not plant.pattern.due]
    times = {id(plant): latency(plant.acknowledged, plant.looks) for plant in due}
    findings: list[Finding] = []
    for plant in due:
        findings += _late(record, plant, times[id(plant)])
        findings += _inputs(record, plant)
    for plant in others:
        findings += _none(record, plant)
    met = sum(one.judge(BOUND_SECONDS) is Judgement.MET for one in times.values())
    values = tuple(1000 * one.high for one in times.values() if isfinite(one.high))
    return Decision(
        tuple(findings),
        (
            Coverage("alerts certainly within 2 s", met, len(due)),
            Coverage("rules", len({plant.pattern.rule for plant in due}), RULES_MIN),
            Coverage("patterns that miss by one", len(others), 2 * RULES_MIN),
        ),
        samples=Samples("alert shows after", values, 1000 * BOUND_SECONDS),
    )


def _named(plant: Plant) -> str:
    return f"{plant.pattern.rule}: {plant.pattern.what} on account {plant.account}"


def _late(record: Planted, plant: Plant, time: Latency) -> Iterator[Finding]:
    judged = time.judge(BOUND_SECONDS)
    if judged not in {Judgement.VIOLATED, Judgement.VANISHED}:
        return
    shown = f"shows after {time.low:.1f} s" if isfinite(time.high) else "never shows"
    what = "shows and is gone later" if judged is Judgement.VANISHED else shown
    looks = [look.operation for look in decisive(plant.looks)]
    calls = (plant.operations[-1], *pick(record.history, looks))
    yield Finding(IN_TIME, f"{_named(plant)}: its alert {what}", calls)


def _inputs(record: Planted, plant: Plant) -> Iterator[Finding]:
    due = {(plant.account, sequence, amount) for sequence, amount in plant.inputs}
    calls = (plant.operations[-1], *pick(record.history, [plant.looks[-1].operation]))
    if len(plant.alerts) > 1:
        text = f"{_named(plant)}: {len(plant.alerts)} alerts for one pattern"
        yield Finding(ITS_INPUTS, text, calls)
        return
    for alert in plant.alerts:
        told = {(one.account_id, one.sequence, one.amount_minor) for one in alert.inputs}
        if told != due:
            text = f"{_named(plant)}: entries {_numbers(told)}, expected {_numbers(due)}"
            yield Finding(ITS_INPUTS, text, calls)
        version = record.rules[alert.rule].version
        if alert.rule_version != version:
            text = f"{_named(plant)}: version {alert.rule_version}, in force is {version}"
            yield Finding(ITS_INPUTS, text, calls)


def _numbers(inputs: set[tuple[str, int, int]]) -> list[int]:
    return sorted(sequence for _, sequence, _ in inputs)


def _none(record: Planted, plant: Plant) -> Iterator[Finding]:
    if plant.alerts:
        calls = (plant.operations[-1], *pick(record.history, [plant.looks[-1].operation]))
        yield Finding(NONE_WITHOUT, f"{_named(plant)} raised {len(plant.alerts)} alerts", calls)


CHECKS = (Check("QRY-5", fraud, alerts_when_due, needs=("fraud",)),)
