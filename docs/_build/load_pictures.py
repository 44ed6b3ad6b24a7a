"""The pictures of the guide to the load's report: drawn by its own charts, of a computed run.

The bank in them is a formula, so they are the same in every build: it does 90 transfers a second at
most, shows each 40 ms after it was booked, and nothing at all from second 10 to 13.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bank_conformance.deciders.stable_latency import Latency, worst
from bank_simulations.load.conclude import Seen, conclude
from bank_simulations.load.events import Mark
from bank_simulations.load.measurement import MODELS, Observation
from bank_simulations.load.population import Population
from bank_simulations.load.scenario import Accounts, Scenario, Step
from bank_simulations.load.setting import Setting
from bank_simulations.load.share import Share
from bank_simulations.report import load_page
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

FOLDER = "assets/load"
SCENARIO = Scenario(
    title="A bank that stands still for three seconds",
    accounts=Accounts(count=200),
    steps=(Step(rate=40.0, seconds=24.0),),
)
STALL = Mark(10.0, "stands still", 13.0)
SERVICE_SECONDS, BOOKED_SECONDS, SHOWN_SECONDS, LOOK_SECONDS = 1 / 90, 0.01, 0.04, 0.05
CSS = Path(load_page.__file__).with_name("page.css")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures to the site."""
    for name, picture in pictures().items():
        files.append(File.generated(config, f"{FOLDER}/{name}.svg", content=picture))
    return files


def pictures() -> dict[str, str]:
    """Each chart of the run as an SVG that needs nothing else."""
    population = Population(("account",) * SCENARIO.accounts.count, "EUR", 0)
    setting = Setting(SCENARIO, "computed", population, None, (), ("", ""))
    share = Share(0, 30.0, observations(setting))
    seen = Seen([share], [STALL], (), None)
    run = conclude("computed", "", datetime.now(UTC), setting, seen)
    drawn = load_page.charts(run.document())
    return {name: _alone(str(chart)) for name, chart in drawn.items()}


def observations(setting: Setting) -> list[Observation]:
    """What would be seen of a bank that does one transfer after the other, but for its stall."""
    dice = random.Random(1)  # noqa: S311 - a picture
    seen, free = [], 0.0
    for planned in setting.work().transfers:
        start = max(planned.due_seconds, free)
        start = STALL.until_seconds if STALL.at_seconds <= start < STALL.until_seconds else start
        free = start + SERVICE_SECONDS
        answered = free - planned.due_seconds + BOOKED_SECONDS * dice.lognormvariate(0.0, 0.5)
        shown = {
            model: answered + SHOWN_SECONDS * dice.lognormvariate(0.0, 0.3) for model in MODELS
        }
        sides = {model: Latency(at - LOOK_SECONDS, at) for model, at in shown.items()}
        lag = 0.0005 * dice.lognormvariate(0.0, 0.8)
        seen.append(Observation(planned, lag, answered, None, sides, worst([*sides.values()])))
    return seen


def _alone(svg: str) -> str:
    """The drawing with the page's style in it, on the page's ground."""
    style = f"<style>{CSS.read_text(encoding='utf-8')}svg {{ background: var(--paper); }}</style>"
    head, rest = svg.split(">", 1)
    return f'{head} xmlns="http://www.w3.org/2000/svg">{style}{rest}\n'
