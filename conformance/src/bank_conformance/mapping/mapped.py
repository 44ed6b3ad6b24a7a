"""An adapter that follows a mapping file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bank_conformance.bank.hostile import body_schema
from bank_conformance.history import BAD_REQUEST, Answer

from .adapter import Adapter, Asked, Wire, joined
from .file import MappingFile, OperationMap
from .lists import EMULATED, Page, by_offset, of_whole
from .templates import MISSING, Scope, Slot, UnexpressedError, fill, parse, slots

KEY = "Idempotency-Key"
PROBLEM = "application/problem+json"
PASSED_ON = ("Authorization",)


class Mapped(Adapter):
    """Asks as the mapping file says, and reads answers as it says."""

    def __init__(self, file: MappingFile) -> None:
        self.file = file
        self.lacks = frozenset(file.lacks)
        self.unknown_account = file.unknown_account

    def offers(self, route: str) -> bool:
        """Say whether the file has the operation."""
        return route in self.file.operations

    def request(self, asked: Asked) -> Wire | None:
        """Return the request that the file makes of a call."""
        operation = self.file.operations.get(asked.route.name)
        if operation is None or _unexpressed(operation, asked.query):
            return None
        with suppress(UnexpressedError):
            return self._wire(operation, asked)
        return None

    def _wire(self, operation: OperationMap, asked: Asked) -> Wire:
        scope = self._scope(asked, asked.body)
        query = fill(operation.query, scope) if operation.query else {}
        return Wire(
            operation.method or asked.route.method,
            joined(_path(operation.path, scope), {} if query is MISSING else query),
            self._headers(operation, asked, scope),
            self._body(operation, asked, scope),
            asked.spoil,
        )

    def response(self, asked: Asked, answer: Answer) -> Answer:
        """Return the contract's answer; the text stays what the bank said."""
        route, body = asked.route.name, answer.body
        for error in self.file.errors:
            if error.fits(route, answer.status, body):
                return _problem(answer, error.status, error.code)
        if answer.status >= BAD_REQUEST:
            return answer
        operation = self.file.operations[route]
        status = operation.statuses.get(answer.status, answer.status)
        headers = self._marked(answer.headers)
        return replace(
            answer, status=status, headers=headers, body=self._read(operation, asked, answer)
        )

    def _scope(self, asked: Asked, own: Any, **more: Any) -> Scope:
        elsewhere = {
            "path": asked.path,
            "query": asked.query,
            "request": asked.body,
            "key": asked.headers.get(KEY, MISSING),
            "null": None,
        }
        return Scope(own, elsewhere | more, self.file.words, self.file.decimals)

    def _headers(self, operation: OperationMap, asked: Asked, scope: Scope) -> dict[str, str]:
        filled = {name: fill(text, scope) for name, text in operation.headers.items()}
        headers = {name: str(value) for name, value in filled.items() if value is not MISSING}
        headers |= {name: asked.headers[name] for name in PASSED_ON if name in asked.headers}
        key = self.file.key
        if key is not None and key.header and KEY in asked.headers:
            headers[key.header] = asked.headers[KEY]
        return headers

    def _body(self, operation: OperationMap, asked: Asked, scope: Scope) -> Any:
        """Return the body: what the template makes, and what the contract does not know either."""
        if operation.body is None or not isinstance(asked.body, Mapping):
            return asked.body
        made = fill(operation.body, scope)
        body = {} if made is MISSING else made
        if isinstance(body, dict):
            body |= _unknown(asked)
            key = self.file.key
            if key is not None and key.member and KEY in asked.headers:
                body[key.member] = asked.headers[KEY]
        return body

    def _read(self, operation: OperationMap, asked: Asked, answer: Answer) -> Any:
        template = self._answer(operation)
        if template is None:
            return answer.body
        if operation.items is None:
            return _made(template, self._scope(asked, answer.body))
        page = self._page(operation, asked, answer)
        if page is None:
            return answer.body
        items = [
            _made(template, self._scope(asked, item, index=index)) for index, item in page.items
        ]
        return {"items": items, "next": page.next}

    def _answer(self, operation: OperationMap) -> Any:
        like = operation.answer_like
        return self.file.operations[like].answer if like else operation.answer

    def _page(self, operation: OperationMap, asked: Asked, answer: Answer) -> Page | None:
        """Return the items of a list, None where the answer has none."""
        scope = self._scope(asked, answer.body)
        at = Slot(tuple((operation.items or "").split(".")), "")
        items = scope.value(at) if operation.items else answer.body
        if not isinstance(items, list):
            return None
        match operation.paging:
            case "whole":
                return of_whole(items, asked.query, newest_first=operation.newest_first)
            case "offset":
                return by_offset(items, asked.query)
        following = fill(operation.next, scope)
        return Page(list(enumerate(items, 1)), None if following is MISSING else following)

    def _marked(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers with the contract's mark of a repeated answer."""
        mark = self.file.key.replayed.lower() if self.file.key else ""
        return {**headers, "idempotency-replayed": "true"} if mark and mark in headers else headers


def _made(template: Any, scope: Scope) -> Any:
    made = fill(template, scope)
    return None if made is MISSING else made


def _unexpressed(operation: OperationMap, query: Mapping[str, Any]) -> bool:
    """Say whether a query asks for something that this bank cannot be asked for."""
    templates = [operation.query, operation.path, operation.body or ""]
    used = {slot.path[1] for slot in slots(templates) if slot.path[0] == "@query"}
    if operation.items is not None and operation.paging == "whole":
        used |= EMULATED
    return any(value is not None and name not in used for name, value in query.items())


def _path(template: str, scope: Scope) -> str:
    """Return the path; what comes from the contract's own path is taken as it is."""
    path = ""
    for part in parse(template):
        if isinstance(part, str):
            path += part
            continue
        value = scope.value(part)
        text = "" if value is MISSING else str(value)
        path += text if part.path[0] == "@path" else quote(text, safe="")
    return path


def _unknown(asked: Asked) -> dict[str, Any]:
    """Return the members that the contract does not have: they are passed on."""
    schema = body_schema(asked.route.name) or {}
    known = schema.get("properties", {})
    return {name: value for name, value in asked.body.items() if name not in known}


def _problem(answer: Answer, status: int, code: str) -> Answer:
    """Return the contract's problem for a refusal that is understood."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code}
    headers = {**answer.headers, "content-type": PROBLEM}
    return replace(answer, status=status, headers=headers, body=body)
