"""From what was seen to what is decided: for the claim, for each step, each phase and the reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .measurement import Measurement, Tally
from .phases import BASELINE, PHASES, phase_of, recoveries
from .reads import ReadTally, reads_decide, tally_reads
from .result import Run, StepResult
from .verdict import Decision, Generator, Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .arrivals import Stretch
    from .capacity import Capacity
    from .events import Mark
    from .measurement import Observation
    from .scenario import Scenario
    from .setting import Setting
    from .share import Share


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run leaves to be judged: every process's share, the events, faults of the books."""

    shares: Sequence[Share]
    marks: Sequence[Mark]
    findings: Sequence[str]
    capacity: Capacity | None


def conclude(name: str, url: str, started_at: datetime, setting: Setting, seen: Seen) -> Run:
    """Judge the run."""
    scenario, drawn = setting.scenario, setting.stretches()
    claimed = [each for each in drawn if each.step in (scenario.claim.steps or {each.step})]
    generators = [share.generator(claimed) for share in seen.shares]
    breaches = [*_breaches(scenario, generators), *_failures(seen.marks)]
    tally = measure(seen.shares, scenario, claimed).total()
    reads = tally_reads(
        scenario,
        [each for share in seen.shares for each in share.reads],
        [each for share in seen.shares for each in share.reads_dropped],
    )
    verdict = decide(tally, scenario.claim, seen.findings, breaches)
    measured = measure(seen.shares, scenario, drawn)
    phases = by_phase(seen.shares, seen.marks, scenario.claim.bound_seconds)
    baseline = phases[BASELINE].ended.percentile_seconds(99) if BASELINE in phases else None
    return Run(
        name=name,
        scenario=scenario,
        url=url,
        run=setting.run,
        started_at=started_at,
        measured=measured,
        generators=generators,
        verdict=with_reads(verdict, reads, scenario.claim.confidence),
        capacity=seen.capacity,
        marks=seen.marks,
        steps=[_step(stretch, seen.shares, scenario) for stretch in drawn],
        phases=phases,
        recoveries=recoveries(seen.marks, measured.points, baseline) if baseline else [],
        reads=reads,
        reads_missing=[read.kind for read in scenario.reads if read.kind not in setting.reads],
    )


def measure(shares: Sequence[Share], scenario: Scenario, drawn: Sequence[Stretch]) -> Measurement:
    """What all processes saw of the transfers due in these steps."""
    whole, steps = Measurement(scenario.claim.bound_seconds), {each.step for each in drawn}
    for share in shares:
        whole.add(share.measure(scenario.claim.bound_seconds, steps))
    return whole


def by_phase(
    shares: Sequence[Share], marks: Sequence[Mark], bound_seconds: float
) -> dict[str, Tally]:
    """The transfers before, during and after what was done to the bank; none where nothing was."""
    phases = {phase: Tally() for phase in PHASES} if marks else {}
    for share in shares if marks else ():
        for seen in share.observations:
            waited = share.waited_seconds(seen)
            phases[_phase(seen, waited, marks)].take(seen, bound_seconds, waited)
    return {phase: tally for phase, tally in phases.items() if tally.fates}


def with_reads(verdict: Verdict, reads: Mapping[str, ReadTally], confidence: float) -> Verdict:
    """The verdict on transfers and reads together: reads can only make it worse."""
    found = reads_decide(reads.values(), confidence)
    better = {Decision.VIOLATED: (Decision.MET, Decision.INCONCLUSIVE)}.get(found, (Decision.MET,))
    decision = found if verdict.decision in better else verdict.decision
    said = filter(None, (tally.words(confidence) for tally in reads.values()))
    return replace(verdict, decision=decision, reasons=(*verdict.reasons, *said))


def _phase(seen: Observation, waited_seconds: float, marks: Sequence[Mark]) -> str:
    took = seen.ended.high if seen.ended else waited_seconds
    return phase_of(seen.planned.due_seconds, seen.planned.due_seconds + took, marks)


def _step(stretch: Stretch, shares: Sequence[Share], scenario: Scenario) -> StepResult:
    tally = measure(shares, scenario, [stretch]).total()
    breaches = _breaches(scenario, [share.generator([stretch]) for share in shares])
    verdict = decide(tally, scenario.claim, breaches=breaches)
    return StepResult(stretch.step, stretch.start_seconds, stretch.seconds, stretch.rate, verdict)


def _breaches(scenario: Scenario, generators: Sequence[Generator]) -> list[str]:
    """Why the generator was measured; each process keeps the limits by itself."""
    several = len(generators) > 1
    return [
        f"process {each.process}: {breach}" if several and not each.died else breach
        for each in generators
        for breach in each.breaches(scenario.limits)
    ]


def _failures(marks: Sequence[Mark]) -> list[str]:
    return [f"{mark.label}: it did not happen as it should" for mark in marks if mark.failed]
