"""HTTP to one replica, whose answers are not to be trusted: bounded in bytes and time, and parsed strictly."""

import json
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import httpx
from pydantic import ValidationError

from offchain.errors import Rejected, Retryable
from offchain.ledger.api.schema import Json, Problem

MAX_ANSWER_BYTES = 8 << 20
MAX_PROBLEM_CHARACTERS = 300
CONNECT_SECONDS = 3.0

Out = TypeVar("Out", bound=Json)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A replica's word that it will not do it: 4xx, and why, in one line."""

    status: int
    error: str


class Http:
    """Connections to replicas, kept open. Threads may share one."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: for one answer."""
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        self._seconds = seconds
        # No proxies or certificates from the environment: settings are read in one place, and this is not it.
        self._client = httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def get(self, kind: type[Out], url: str, params: dict[str, str] | None = None) -> Out | Refusal:
        """See `_ask`."""
        return self._ask(kind, self._client.build_request("GET", url, params=params), 0.0)

    def post(self, kind: type[Out], url: str, body: Json, *, wait: float = 0.0) -> Out | Refusal:
        """`wait`: what the replica is asked to wait before it answers; see `_ask`."""
        request = self._client.build_request(
            "POST",
            url,
            params={"wait": f"{wait:.3f}"},
            content=body.model_dump_json(by_alias=True),
            headers={"Content-Type": "application/json"},
            timeout=httpx.Timeout(self._seconds + wait, connect=min(self._seconds, CONNECT_SECONDS)),
        )
        return self._ask(kind, request, wait)

    def _ask(self, kind: type[Out], request: httpx.Request, wait: float) -> Out | Refusal:
        """What the replica answers. Raises Retryable when it doesn't, in time and form, or says that it cannot now."""
        where = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        try:
            status, data = self._read(request, monotonic() + self._seconds + wait)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Retryable(f"{where}: no answer ({str(error) or type(error).__name__})") from error
        try:
            if status in (200, 202):
                return kind.model_validate_json(data)
            problem = _one_line(Problem.model_validate(json.loads(data)).error)
        except (ValidationError, ValueError, RecursionError) as error:
            raise Retryable(f"{where}: an answer (HTTP {status}) that is not the ledger's") from error
        if status == 429 or status >= 500:
            raise Retryable(f"{where}: {problem}")
        return Refusal(status, problem)

    def _read(self, request: httpx.Request, until: float) -> tuple[int, bytes]:
        response = self._client.send(request, stream=True)
        try:
            data = bytearray()
            for part in response.iter_bytes():
                data += part
                if len(data) > MAX_ANSWER_BYTES:
                    raise httpx.ReadError(f"more than {MAX_ANSWER_BYTES} bytes")
                if monotonic() > until:
                    raise httpx.ReadTimeout("too slow")
            return response.status_code, bytes(data)
        finally:
            response.close()


def checked_url(text: str) -> str:
    """A replica's URL without a slash at its end. Raises Rejected when it is none."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise Rejected(f"{text[:80]!r} is no URL; expected such as http://127.0.0.1:7500") from error
    plain = not (url.query or url.fragment or url.userinfo) and 0 < (url.port or 80) < 65_536
    if url.scheme not in ("http", "https") or not url.host or not plain:
        raise Rejected(f"{text[:80]!r}: expected a plain http or https URL, such as http://127.0.0.1:7500")
    return text.rstrip("/")


def _one_line(text: str) -> str:
    """Of a stranger's text what is safe to print."""
    return "".join(char for char in text[:MAX_PROBLEM_CHARACTERS] if char.isprintable())
