"""The contract over HTTP: one client for set-up, load, replay and benchmark.

It rests on geventhttpclient, the client inside Locust's FastHttpUser, without the cookies,
redirects and statistics that a session adds to every request. Requests block one greenlet each.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError
from geventhttpclient.url import URL

from .console import BadInputError, BrokenRunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from geventhttpclient.header import Headers

    from .tokens import TokenSource

UNAUTHORIZED, CONFLICT, TOO_MANY, SERVER_ERROR = 401, 409, 429, 500
RETRY_SECONDS = 0.1
PATIENCE_SECONDS = 30.0


class UnansweredError(Exception):
    """No answer came: refused, reset, closed or timed out. What was asked may still happen."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank said."""

    status: int
    body: Any
    headers: Headers

    @property
    def consistency_token(self) -> str:
        """What a read has to bring to see at least this; empty where the bank gave none."""
        return str(self.headers.get("Consistency-Token") or "")

    @property
    def accepted(self) -> bool:
        """Whether the bank did, or is about to do, what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own range

    @property
    def code(self) -> str:
        """The problem's code, or the bare status where there is none."""
        code = self.body.get("code") if isinstance(self.body, dict) else None
        return str(code or f"http-{self.status}")


class BankClient:
    """Calls a bank that speaks the contract, over a pool of kept-alive connections.

    `connections` bounds the calls under way at one time; `timeout_seconds` bounds each wait for
    the network, never the whole of a call that keeps sending.
    """

    def __init__(
        self, url: str, tokens: TokenSource, *, connections: int, timeout_seconds: float = 10.0
    ) -> None:
        self.url = url.rstrip("/")
        self._tokens = tokens
        self._prefix = URL(self.url).path.rstrip("/")
        self._http = HTTPClient.from_url(
            _checked(self.url),
            concurrency=connections,
            connection_timeout=timeout_seconds,
            network_timeout=timeout_seconds,
        )

    def require_answer(self) -> None:
        """Find out at once whether anybody serves there; raises BrokenRunError."""
        try:
            self.get("/health/ready")
        except UnansweredError as error:
            raise BrokenRunError(f"{error}; is the bank up? See --url") from error

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Read `path`; raises UnansweredError."""
        return self._send("GET", path, None, headers or {})

    def post(
        self, path: str, body: dict[str, Any], key: str, wait_seconds: int | None = None
    ) -> Answer:
        """Send `body` under an idempotency key, once; raises UnansweredError."""
        headers = {"Idempotency-Key": key}
        if wait_seconds is not None:
            headers["Prefer"] = f"wait={wait_seconds}"
        return self._send("POST", path, body, headers)

    def insist(
        self,
        path: str,
        body: dict[str, Any],
        key: str,
        patience_seconds: float = PATIENCE_SECONDS,
        wait_seconds: int | None = None,
    ) -> Answer:
        """Post until there is an answer that stands, always under the same key.

        Raises:
            BrokenRunError: when there was none for `patience_seconds`.
        """
        return self._until_it_stands(
            path, lambda: self.post(path, body, key, wait_seconds), patience_seconds
        )

    def create(self, path: str, body: dict[str, Any], key: str, wanted: str) -> str:
        """Insist, and return the id called `wanted` of what was made; BrokenRunError if refused."""
        answer = self.insist(path, body, key)
        made = answer.body.get(wanted) if isinstance(answer.body, dict) else None
        if not answer.accepted or not isinstance(made, str):
            raise BrokenRunError(
                f"POST {path} gave {answer.status} {answer.code} and no {wanted}: set-up needs a "
                "bank that speaks the contract, and a staff token with the scope bank:operate"
            )
        return made

    def look(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Read `path` until there is an answer that stands; BrokenRunError if there is none."""
        return self._until_it_stands(path, lambda: self.get(path, headers), PATIENCE_SECONDS)

    def fetch(self, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Read `path` until there is an answer that stands; BrokenRunError if it is no document."""
        answer = self.look(path, headers)
        if not answer.accepted or not isinstance(answer.body, dict):
            raise BrokenRunError(f"GET {path} gave {answer.status} {answer.code}")
        return answer.body

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()

    def _until_it_stands(
        self, path: str, ask: Callable[[], Answer], patience_seconds: float
    ) -> Answer:
        give_up_at = time.monotonic() + patience_seconds
        while True:
            try:
                answer = ask()
                said = f"only {answer.status} {answer.code}"
            except UnansweredError as error:
                answer, said = None, str(error)
            if answer and not is_passing(answer):
                return answer
            if time.monotonic() > give_up_at:
                raise BrokenRunError(f"{path} gave {said} for {patience_seconds:.0f} s")
            gevent.sleep(RETRY_SECONDS)

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> Answer:
        token = self._tokens.token
        answer = self._attempt(method, path, body, token, headers)
        if answer.status == UNAUTHORIZED and self._tokens.renew(token):
            return self._attempt(method, path, body, self._tokens.token, headers)
        return answer

    def _attempt(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        token: str,
        headers: dict[str, str],
    ) -> Answer:
        sent = {"Authorization": f"Bearer {token}", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = b"" if body is None else json.dumps(body).encode()
        try:
            response = self._http.request(method, self._prefix + path, body=data, headers=sent)
            content = response.read()
        except (OSError, HTTPParseError) as error:
            raise UnansweredError(f"no answer from {self.url}: {error}") from error
        return Answer(response.status_code, _json(content), response.info())


def is_passing(answer: Answer) -> bool:
    """Whether the answer is about the moment, not the request: asking again may help.

    A request without If-Match meets 409 only while another one under its key is under way.
    """
    return answer.status in {CONFLICT, TOO_MANY} or answer.status >= SERVER_ERROR


def _checked(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise BadInputError(f"{url!r} is no URL of a bank: it looks like http://127.0.0.1:8000")
    return url


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
