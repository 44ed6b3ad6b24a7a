"""How a request becomes the call of a function.

Routes are declared as FastAPI's, and described by it in /openapi.json. But what a function wants is
read from its signature once, when the route is declared: FastAPI goes through it with every
request, which takes longer than most requests do.
"""

from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction, signature
from typing import Any, get_args

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from .bodies import Body
from .call import Call
from .problems import ProblemError
from .refusals import refusal

MISTAKES_MAX = 20
POINTER_CHARS_MAX = 80


class Route(APIRoute):
    """Calls its function with what that wants of a request, and answers whatever comes of it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._parameters = Parameters(endpoint, self.param_convertors)
        if not (iscoroutinefunction(endpoint) and self._parameters.are_those_of(self.dependant)):
            raise TypeError(
                f"{endpoint.__name__} must be async, and take of a request what a dependency "
                "brings, ids in the path, a query, and one Body (http/route.py)"
            )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Nothing, for the framework's router: it takes a path for another that ends in a line
        break, and leaves the method to `handle`. The switch has looked at both.
        """
        del scope
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        call = Call(scope, receive)
        try:
            response = await self.endpoint(**await self._parameters.of(call))
        except Exception as error:  # noqa: BLE001 (what is no refusal is raised again)
            response = refusal(call, error)
        await response(scope, receive, send)


class Parameters:
    """What a function wants, by where in a request it comes from: what the dependencies make of it,
    the ids in the path, the query, the body.
    """

    def __init__(self, endpoint: Callable[..., Any], path_names: Iterable[str]) -> None:
        self._call: list[str] = []
        self._brought: list[tuple[str, Callable[[Call], Any], bool]] = []
        self._ids: list[tuple[str, TypeAdapter[Any]]] = []
        self._bodies: list[tuple[str, type[Body]]] = []
        query: dict[str, Any] = {}
        for name, wanted in signature(endpoint).parameters.items():
            if bring := _dependency(wanted.annotation):
                self._brought.append((name, bring, iscoroutinefunction(bring)))
            elif _is(Request, wanted.annotation):
                self._call.append(name)
            elif _is(Body, wanted.annotation):
                self._bodies.append((name, wanted.annotation))
            elif name in path_names:
                self._ids.append((name, TypeAdapter(wanted.annotation)))
            else:
                default = ... if wanted.default is wanted.empty else wanted.default
                query[name] = (wanted.annotation, default)
        self._query = create_model("Query", __config__=ConfigDict(extra="forbid"), **query)

    def are_those_of(self, described: Dependant) -> bool:
        """Whether FastAPI describes the same: what it looks for in a header is a query here."""
        query = {each.name for each in described.query_params}
        bodies = [each.name for each in described.body_params]
        return query == self._query.model_fields.keys() and bodies == [n for n, _ in self._bodies]

    async def of(self, call: Call) -> dict[str, Any]:
        """The arguments for one request; ProblemError when it does not fit the contract.

        Dependencies come first, in the order in which the function names them: once the caller is
        found to be nobody, nothing more is looked at.
        """
        found: dict[str, Any] = dict.fromkeys(self._call, call)
        for name, bring, is_async in self._brought:
            found[name] = await bring(call) if is_async else bring(call)
        for name, adapter in self._ids:
            found[name] = _id(adapter, call.path_params[name])
        found |= vars(_valid("query", self._query, call.query))
        for name, model in self._bodies:
            found[name] = _valid("body", model, await _json(call))
        return found


def _dependency(annotation: Any) -> Callable[[Call], Any] | None:
    """The function in Annotated[..., Depends(function)]."""
    found = [each for each in get_args(annotation) if isinstance(each, Depends)]
    return found[0].dependency if found else None


def _is(kind: type, annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, kind)


def _id(adapter: TypeAdapter[Any], text: str) -> Any:
    """An id in the path that cannot be one is simply unknown."""
    try:
        return adapter.validate_python(text)
    except ValidationError:
        raise ProblemError(404, "not-found", "there is nothing of this id") from None


async def _json(call: Call) -> Any:
    """The body, which must say that it is JSON: a form on a foreign page cannot."""
    parsed, _ = await call.content()
    kind = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return parsed
    raise _misfit([("body", "must be sent as application/json")])


def _valid(where: str, model: type[BaseModel], value: Any) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_context=False, include_input=False)
    raise _misfit([("/".join(map(str, (where, *each["loc"]))), each["msg"]) for each in mistakes])


def _misfit(mistakes: list[tuple[str, str]]) -> ProblemError:
    errors = [
        {"pointer": pointer[:POINTER_CHARS_MAX], "detail": detail}
        for pointer, detail in mistakes[:MISTAKES_MAX]
    ]
    detail = "the request does not fit the contract"
    return ProblemError(400, "invalid-request", detail, errors=errors)
