"""Which route a request is for: looked up by its path, in as many steps as that has segments.

FastAPI's router tries one route after the other, twice, and a request passes seven layers before it
comes there. It still serves what is no route of ours: the API page.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from .problems import ProblemError
from .refusals import respond
from .route import Route


@dataclass(slots=True)
class Place:
    """The end of a path: what may be done there, by method, and what may come behind it."""

    routes: dict[str, Route] = field(default_factory=dict)
    named: dict[str, "Place"] = field(default_factory=dict)
    by_id: "Place | None" = None

    def below(self, segment: str) -> "Place":
        """The place behind this segment of a route's path, made when it is not there yet."""
        if not segment.startswith("{"):
            return self.named.setdefault(segment, Place())
        self.by_id = self.by_id or Place()
        return self.by_id


class Switch:
    """Hands each request to its route."""

    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        self._app = app
        self._root = Place()
        for route in routes:
            place = self._root
            for segment in route.path.split("/")[1:]:
                place = place.below(segment)
            place.routes |= dict.fromkeys(route.methods or (), route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        place, ids = self._find(scope.get("path", ""))
        if place is None or not place.routes or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = place.routes.get(scope["method"])
        scope["route"] = route or next(iter(place.routes.values()))
        if route is None:
            allowed = {"Allow": ", ".join(sorted(place.routes))}
            problem = ProblemError(405, "method-not-allowed", headers=allowed)
            await respond(Request(scope), problem)(scope, receive, send)
            return
        scope["path_params"] = dict(zip(route.param_convertors, ids, strict=True))
        await route.handle(scope, receive, send)

    def _find(self, path: str) -> tuple[Place | None, list[str]]:
        """The place, and what stands where the route has the names of ids."""
        place, ids = self._root, []
        for segment in path.split("/")[1:]:
            below = place.named.get(segment)
            if below is None:
                ids.append(segment)
                below = place.by_id
            if below is None:
                return None, ids
            place = below
        return place, ids
