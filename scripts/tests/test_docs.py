"""The site is whole, says what the contract says, and loads nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import http_reference
import pytest
import requirement_pages
import yaml
from _tasks.steps import ROOT
from bank_conformance.catalogue import catalogue
from bank_conformance.reference.mutants import MUTANTS
from bank_conformance.requirements import CHECKS

CONTRACT = yaml.safe_load(http_reference.CONTRACT.read_text())
# Attributes and rules that make a browser fetch; a plain link is for people to follow.
LOADS = re.compile(
    r"""(?:src|srcset|data)=["']?https?:|<link[^>]+href=["']?https?:|url\(["']?https?:"""
)
SCRIPT_LOADS = re.compile(r"""(?:import|fetch|importScripts)\(["'`]https?:""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    mkdocs = [str(Path(sys.executable).parent / "mkdocs"), "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*mkdocs, "--site-dir", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html"), *site.rglob("*.css"), *site.rglob("*.svg")]
    assert len(pages) > 20
    assert [page.name for page in pages if LOADS.search(page.read_text())] == []
    scripts = list(site.rglob("*.js"))
    assert [page.name for page in scripts if SCRIPT_LOADS.search(page.read_text())] == []


@pytest.mark.slow
def test_every_decision_is_listed(site: Path) -> None:
    listed = (site / "internals" / "adr" / "index.html").read_text()
    names = [path.stem for path in (ROOT / "docs" / "internals" / "adr").glob("2*.md")]
    assert names
    assert [name for name in names if f'href="{name}.html"' not in listed] == []


def test_the_search_for_foreign_loads_finds_one() -> None:
    assert LOADS.search('<link rel="stylesheet" href="https://fonts.googleapis.com/css">')
    assert LOADS.search('<script src="https://unpkg.com/x.js">')
    assert not LOADS.search('<a href="https://example.com">')


def test_every_call_has_a_section_under_its_tag() -> None:
    pages = http_reference.pages(CONTRACT)
    for path, method, operation in http_reference.operations(CONTRACT):
        section = pages[operation["tags"][0]].partition(f"{{ #{operation['operationId']} }}")[2]
        assert f"{method} {path}\n" in section


def test_a_call_that_a_bank_may_leave_out_says_so() -> None:
    pages = http_reference.pages(CONTRACT)
    for _, _, operation in http_reference.operations(CONTRACT):
        section = pages[operation["tags"][0]].partition(f"{{ #{operation['operationId']} }}")[2]
        said = "*Optional: the capability* `" in section.partition("\n## ")[0]
        assert said == ("x-capability" in operation), operation["operationId"]


def test_every_schema_has_a_section() -> None:
    page = http_reference.pages(CONTRACT)["schemas"]
    names = CONTRACT["components"]["schemas"]
    assert [name for name in names if f"\n## {name}\n" not in page] == []


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/Hold"}, "[Hold](schemas.md#hold)"),
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "integer, 1 to 1,000"),
        ({"type": "string", "maxLength": 4096}, "string, at most 4,096 characters"),
        ({"type": ["string", "null"], "format": "date"}, "date or null"),
        ({"enum": ["DEBIT", None]}, "`DEBIT` `null`"),
        (
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
            "list of string, at least 1 items",
        ),
        ({"type": "string", "pattern": "a|b"}, "string, `a\\|b`"),
        ({"type": "integer", "default": 100}, "integer, default 100"),
    ],
)
def test_a_schema_is_told_in_a_few_words(schema: http_reference.Node, words: str) -> None:
    assert http_reference.shape(schema) == words


def test_every_requirement_has_a_page_that_says_all_there_is_to_say() -> None:
    pages = requirement_pages.pages()
    for one in catalogue().values():
        page = pages[one.id]
        assert f"]({one.id}.md)" in pages["index"], one.id
        for said in (one.must, one.rationale, one.decider, one.level):
            assert said.strip() in page, one.id
        assert all(name in page for name in one.mutants), one.id
        assert (f"--only {one.id}\n" in page) == (one.id in CHECKS), one.id
        assert ("What is done to the bank" in page) == (one.id in CHECKS), one.id


def test_every_incident_is_a_link() -> None:
    for one in catalogue().values():
        found = one.incident.count("#")
        told = requirement_pages.references(one.incident)
        assert told.count("](https://github.com/") == found, one.incident


def test_the_matrix_has_every_mutant_with_all_that_must_catch_it() -> None:
    page = requirement_pages.pages()["mutants"]
    rows = {row.split(" | ")[0].strip("| "): row for row in page.splitlines() if row[:1] == "|"}
    for mutant in MUTANTS.values():
        assert all(f"[{one}]" in rows[mutant.id] for one in mutant.kills), mutant.id


def test_every_requirement_is_in_the_navigation() -> None:
    listed = [one.id for _, members in requirement_pages.families() for one in members]
    assert listed == list(catalogue())
