"""Write the HTTP reference from the contract, each time the site is built.

A hook of mkdocs: a page for each tag of conformance/contract/openapi.yaml, one for the schemas, and
the conventions as the section's start. Nothing of it is stored, so it cannot grow old.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

CONTRACT = Path(__file__).parent.parent.parent / "conformance" / "contract" / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")
OF_EVERY_BANK = (
    "This is the contract that any bank may offer, not the interface of one. What is marked"
    " *Optional* may be missing; [the status](../../internals/status.md) lists what a generated"
    " bank lacks."
)

Node = dict[str, Any]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that lie in docs/."""
    contract = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    for name, text in pages(contract).items():
        files.append(File.generated(config, f"reference/http/{name}.md", content=text))
    return files


def on_serve(server: Any, **_: Any) -> Any:
    """Build again when the contract changes."""
    server.watch(str(CONTRACT))
    return server


def pages(contract: Node) -> dict[str, str]:
    """The text of every page by its name."""
    tags = [tag["name"] for tag in contract["tags"]]
    return {
        "index": joined(start_page(contract)),
        **{tag: joined(tag_page(contract, tag)) for tag in tags},
        "schemas": joined(schema_page(contract)),
    }


def joined(parts: Iterable[str]) -> str:
    """Parts with a line between them, empty ones left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads: str, rows: Iterable[Sequence[str]]) -> str:
    """A table, its heads given as one string of words."""
    names = heads.split()
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def start_page(contract: Node) -> Iterator[str]:
    """What holds for every call, and a table of all calls."""
    yield f"# HTTP\n\nContract version {contract['info']['version']}."
    yield OF_EVERY_BANK
    yield contract["info"]["description"]
    yield "## All calls"
    yield table(
        "method path effect",
        (
            (method, f"[`{path}`]({item['tags'][0]}.md#{item['operationId']})", item["summary"])
            for path, method, item in operations(contract)
        ),
    )


def operations(contract: Node) -> Iterator[tuple[str, str, Node]]:
    """Path, method and operation, in the order of the contract; shared parameters included."""
    for path, item in contract["paths"].items():
        for method in METHODS:
            if operation := item.get(method):
                both = [*item.get("parameters", []), *operation.get("parameters", [])]
                yield path, method.upper(), {**operation, "parameters": both}


def tag_page(contract: Node, tag: str) -> Iterator[str]:
    """One section for each operation of the tag."""
    yield f"# {tag.capitalize()}"
    for path, method, operation in operations(contract):
        if tag in operation["tags"]:
            yield f"## {title(operation)} {{ #{operation['operationId']} }}"
            yield f"```http\n{method} {path}\n```"
            yield operation["summary"]
            yield capability(operation)
            yield operation.get("description", "")
            yield parameters(contract, operation)
            yield body(operation)
            yield responses(contract, operation)


def title(operation: Node) -> str:
    """`placeHold` as "Place hold"."""
    return re.sub(r"([A-Z])", r" \1", operation["operationId"]).capitalize()


def capability(operation: Node) -> str:
    """That a bank may leave the operation out; empty for one that every bank has."""
    named = operation.get("x-capability")
    return f"*Optional: the capability* `{named}`." if named else ""


def parameters(contract: Node, operation: Node) -> str:
    """A table of path, query and header parameters; empty when there are none."""
    found = [resolve(contract, parameter) for parameter in operation["parameters"]]
    rows = [
        (
            f"`{item['name']}`",
            item["in"],
            shape(item["schema"]),
            need(item.get("required")),
            note(item),
        )
        for item in found
    ]
    return table("parameter in type needed meaning", rows) if rows else ""


def body(operation: Node) -> str:
    """What is sent, as a link to its schema; empty when nothing is."""
    content = operation.get("requestBody", {}).get("content", {})
    return "\n".join(
        f"Body: {shape(media['schema'])} as `{kind}`." for kind, media in content.items()
    )


def responses(contract: Node, operation: Node) -> str:
    """A table of statuses."""
    rows = []
    for status, reference in operation["responses"].items():
        answer = resolve(contract, reference)
        shapes = [shape(media["schema"]) for media in answer.get("content", {}).values()]
        label = "any other" if status == "default" else f"`{status}`"
        rows.append((label, note(answer), ", ".join(shapes)))
    return table("status meaning body", rows)


def schema_page(contract: Node) -> Iterator[str]:
    """Every schema: a table of its members, or the rule for its value."""
    yield "# Schemas"
    for name, schema in contract["components"]["schemas"].items():
        yield f"## {name}"
        yield schema.get("description", "")
        yield members(schema) if "properties" in schema else shape(schema)


def members(schema: Node) -> str:
    """A table of the members of an object."""
    needed = schema.get("required", [])
    return table(
        "member type needed meaning",
        (
            (f"`{name}`", shape(member), need(name in needed), note(member))
            for name, member in schema["properties"].items()
        ),
    )


def need(required: object) -> str:
    """The word in the column `needed`."""
    return "yes" if required else ""


def shape(schema: Node) -> str:
    """A schema in a few words: a link where it has a name, its bounds where it has some."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](schemas.md#{name.lower()})"
    if "enum" in schema:
        return " ".join(f"`{'null' if value is None else value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {shape(schema['items'])}{bounds(schema)}"
    return f"{kind(schema)}{bounds(schema)}"


def kind(schema: Node) -> str:
    """The type, or the format where that says more; `or null` where null is allowed."""
    types = schema.get("type", "any")
    first, *others = types if isinstance(types, list) else [types]
    return " or ".join([str(schema.get("format", first)), *others])


def bounds(schema: Node) -> str:
    """What the value is held to, and what it is when left out."""
    words = [
        span(schema.get("minimum"), schema.get("maximum"), ""),
        span(schema.get("minLength"), schema.get("maxLength"), " characters"),
        span(schema.get("minItems"), schema.get("maxItems"), " items"),
        f"`{schema['pattern']}`".replace("|", "\\|") if "pattern" in schema else "",
        f"default {schema['default']}" if "default" in schema else "",
    ]
    return "".join(f", {word}" for word in words if word)


def span(lowest: int | None, highest: int | None, unit: str) -> str:
    """Two bounds, or one, in words; empty without any."""
    if lowest is None and highest is None:
        return ""
    if lowest is None:
        return f"at most {highest:,}{unit}"
    return f"at least {lowest:,}{unit}" if highest is None else f"{lowest:,} to {highest:,}{unit}"


def note(item: Node) -> str:
    """A description that fits a cell of a table."""
    return " ".join(item.get("description", "").split()).replace("|", "\\|")


def resolve(contract: Node, node: Node) -> Node:
    """What a reference points at; anything else is itself."""
    while "$ref" in node:
        target = contract
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node
