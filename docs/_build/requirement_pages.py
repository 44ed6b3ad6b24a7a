"""Write a page for each requirement, and the mutant matrix, each time the site is built.

A hook of mkdocs, from the catalogue, the checks and the mutants of the conformance suite: what is
not in the code is not on a page, so that none can grow old.
"""

from __future__ import annotations

import inspect
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bank_conformance.catalogue import FAMILIES, Requirement, catalogue, contract_file
from bank_conformance.hooks import DOES
from bank_conformance.reference.mutants import MUTANTS
from bank_conformance.requirements import CHECKS
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bank_conformance.requirements.check import Check
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

FOLDER, SECTION = "reference/requirements", "Requirements"
LEVELS = {
    "L0": "HTTP alone",
    "L1": "HTTP, with more than every bank offers: such as the ordered feed of events",
    "L2": "commands that stop, kill and start the bank",
    "L3": "commands that copy or change what it stores",
}
STATES = {
    "built": "decided by the suite",
    "planned": "not decided yet: listed, never run, never a PASS",
    "self-test": "decided of the suite itself, by `bank-conformance self-test`",
}
REFERENCE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the section of the navigation, a part of it for each family."""
    whole: list[Any] = [{"All": f"{FOLDER}/index.md"}, {"Mutants": f"{FOLDER}/mutants.md"}]
    for title, members in families():
        whole.append({title: [{one.id: f"{FOLDER}/{one.id}.md"} for one in members]})
    for item in config.nav or []:
        if SECTION in item:
            item[SECTION] = whole
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that lie in docs/."""
    for name, text in pages().items():
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=text))
    return files


def on_serve(server: Any, **_: Any) -> Any:
    """Build again when the catalogue changes."""
    server.watch(str(contract_file("requirements.yaml")))
    return server


def families() -> list[tuple[str, list[Requirement]]]:
    """The requirements by family, in the order of the catalogue."""
    grouped = groupby(catalogue().values(), key=lambda one: one.family)
    return [(FAMILIES[name], list(members)) for name, members in grouped]


def pages() -> dict[str, str]:
    """The text of every page by its name."""
    return {
        "index": joined(start_page()),
        "mutants": joined(matrix_page()),
        **{one.id: joined(requirement_page(one)) for one in catalogue().values()},
    }


def joined(parts: Iterable[str]) -> str:
    """Parts with a line between them, empty ones left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|---" * len(heads) + "|"
    return "\n".join([f"| {' | '.join(heads)} |", rule, *lines]) if lines else ""


def start_page() -> Iterator[str]:
    """What the levels are, and a table of every family."""
    built = sum(one.status == "built" for one in catalogue().values())
    yield "# Requirements"
    yield (
        f"What a bank must guarantee: {len(catalogue())} requirements, {built} of them decided by "
        f"[`bank-conformance`](../../guides/conformance.md) today. Each has [mutants](mutants.md): "
        "banks that break it on purpose, and that the suite must catch by its id."
    )
    yield table(("level", "what the bank must offer"), sorted(LEVELS.items()))
    for title, members in families():
        yield f"## {title}"
        rows = [(linked(one.id), one.level, one.must, mark(one)) for one in members]
        yield table(("id", "level", "requirement", "decided"), rows)


def mark(one: Requirement) -> str:
    """One word for a table."""
    return {"built": "yes", "planned": "not yet", "self-test": "by self-test"}[one.status]


def requirement_page(one: Requirement) -> Iterator[str]:
    """What it says, why it matters, how it is decided, and what it must catch."""
    yield f"# {one.id}"
    yield f"**{one.must}**"
    level = f"level {one.level}: {LEVELS[one.level]}"
    yield f"{FAMILIES[one.family]}, {level}. It is {STATES[one.status]}."
    yield f"## Why it matters\n\n{one.rationale}"
    yield f"Seen in public: {references(one.incident)}." if one.incident else ""
    yield "## How it is decided"
    yield (
        f"By {one.decider}." if one.status == "built" else f"Meant to be decided by {one.decider}."
    )
    if check := CHECKS.get(one.id):
        yield from deciding(check)
    yield from caught(one)
    if one.id in CHECKS:
        yield "## Run it"
        yield f"```sh\nbank-conformance run --target conformance.toml --only {one.id}\n```"


def deciding(check: Check) -> Iterator[str]:
    """The workload and the decider in the words of their own authors, and what they need."""
    yield "### What is done to the bank"
    yield docstring(inspect.getmodule(check.workload))
    others = [name for name, other in CHECKS.items() if other.workload is check.workload]
    others.remove(check.requirement_id)
    shared = ", ".join(linked(name) for name in others)
    yield f"The same record decides {shared}: it is played once in a run." if others else ""
    yield "### What is judged"
    told = docstring(check.decide).removeprefix(f"{check.requirement_id}: ")
    yield told[:1].upper() + told[1:]
    yield "What was seen is counted too: too little of it is INCONCLUSIVE, never a PASS."
    needs = ", ".join(check.needs)
    yield f"Without {needs} it is skipped, and never a PASS." if needs else ""
    rows = [(f"`{name}`", DOES[name]) for name in check.hooks]
    yield (
        "The target file must give these hooks; without one of them it is skipped." if rows else ""
    )
    yield table(("hook", "what its command does"), rows)


def caught(one: Requirement) -> Iterator[str]:
    """The mutants that this requirement must catch, and who else must."""
    if not one.mutants:
        return
    yield "## What it must catch"
    rows = []
    for name, defect in one.mutants.items():
        mutant = MUTANTS.get(name)
        others = [killer for killer in (mutant.kills if mutant else ()) if killer != one.id]
        shown = mutant.summary if mutant else f"{defect} (not built yet)"
        rows.append((f"[{name}](mutants.md)", cell(shown), ", ".join(map(linked, others))))
    yield table(("mutant", "what is broken in it", "caught by as well"), rows)
    built = ",".join(name for name in one.mutants if name in MUTANTS)
    yield f"```sh\nbank-conformance self-test --only {built}\n```" if built else ""


def matrix_page() -> Iterator[str]:
    """Every mutant, and by whom it must be caught."""
    yield "# Mutants"
    yield (
        "A mutant is the suite's own reference bank with one step broken in a few lines. It counts "
        "as caught only if it served, its broken line ran, and **every** requirement that is "
        "named here said FAIL. `bank-conformance self-test` proves it, in minutes; with `--full`, "
        "every requirement meets every mutant."
    )
    yield f"{len(MUTANTS)} mutants are built, here by the family of what catches them first."
    for title, members in families():
        ids = [one.id for one in members]
        ours = [mutant for mutant in MUTANTS.values() if mutant.kills[0] in ids]
        yield f"## {title}" if ours else ""
        rows = [
            (mutant.id, cell(mutant.summary), ", ".join(map(linked, mutant.kills)))
            for mutant in ours
        ]
        yield table(("mutant", "what is broken in it", "must be caught by"), rows)
    planned = {
        name: (what, one.id)
        for one in catalogue().values()
        for name, what in one.mutants.items()
        if name not in MUTANTS
    }
    yield "## Not built yet" if planned else ""
    rows = [(name, cell(what), linked(owner)) for name, (what, owner) in planned.items()]
    yield table(("mutant", "what is broken in it", "to be caught by"), rows)


def references(incident: str) -> str:
    """`owner/repo#7, text` with a link to the issue."""
    return REFERENCE.sub(r"[\1#\2](https://github.com/\1/issues/\2)", incident)


def docstring(thing: object) -> str:
    """What the author says of a module or a function."""
    return inspect.getdoc(thing) or ""


def linked(requirement_id: str) -> str:
    """A link to the page of a requirement."""
    return f"[{requirement_id}]({requirement_id}.md)"


def cell(text: str) -> str:
    """A text that fits a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
