"""HTTP answers from machines nobody vouches for: bounded in bytes and time while they arrive.

`requests` alone bounds neither: a body without chunks is read at once, a trickle never times out, and a small
compressed body can unfold without end. So compression is not asked for, redirects are not followed, and every piece
that the socket gives is counted and clocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import urlsplit

import requests
import urllib3

from offchain.errors import Rejected, Retryable
from offchain.storage.bounds import Deadline, Missing, WrongContent

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""Longest wait for the next byte."""
_PIECE = 64 * 1024
_MAX_MESSAGE = 2000


class HttpSource:
    """One server, named `location` in errors; `advice` says what to do when nobody answers."""

    def __init__(self, base: str, *, location: str, advice: str) -> None:
        parts = urlsplit(base)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise Rejected(f"{location}: {base!r} is not an address; use http://HOST:PORT or https://HOST")
        self._base = base.rstrip("/")
        self._location = location
        self._advice = advice
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.trust_env = False

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def stream(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        max_bytes: int,
        deadline: Deadline,
        accept: str = "*/*",
    ) -> Iterator[bytes]:
        """The body of an answer with status 200, piece by piece.

        Raises Missing for 404 and 410, WrongContent for more than `max_bytes`, Retryable for everything else.
        """
        try:
            with closing(self._request(method, path, params, deadline, accept)) as response:
                self._require_ok(response, deadline)
                yield from self._body(response, max_bytes, deadline)
        except requests.exceptions.Timeout:
            raise Retryable(f"{self._location}: no answer in time; {self._advice}") from None
        except requests.exceptions.ConnectionError:
            raise Retryable(f"{self._location}: nothing answers there; {self._advice}") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Retryable(f"{self._location}: {_first_line(error)}; {self._advice}") from None

    def body(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        max_bytes: int,
        deadline: Deadline,
        accept: str = "*/*",
    ) -> bytes:
        """Like `stream`, joined."""
        return b"".join(self.stream(method, path, params, max_bytes=max_bytes, deadline=deadline, accept=accept))

    def _request(
        self, method: str, path: str, params: Mapping[str, str], deadline: Deadline, accept: str
    ) -> requests.Response:
        left = deadline.remaining()
        return self._session.request(
            method,
            f"{self._base}/{path}",
            params=dict(params),
            headers={"Accept": accept},
            timeout=(min(CONNECT_SECONDS, left), min(SILENCE_SECONDS, left)),
            allow_redirects=False,
            stream=True,
        )

    def _require_ok(self, response: requests.Response, deadline: Deadline) -> None:
        if response.status_code == 200:
            return
        said = _first_line(
            b"".join(self._body(response, _MAX_MESSAGE, deadline, strict=False)).decode(errors="replace")
        )
        line = f"{self._location}: answered {response.status_code} {said}"
        if response.status_code in {404, 410}:
            raise Missing(line)
        if response.is_redirect:
            raise Retryable(f"{self._location}: answered with a redirect; give the address it leads to instead")
        raise Retryable(line)

    def _body(
        self, response: requests.Response, max_bytes: int, deadline: Deadline, *, strict: bool = True
    ) -> Iterator[bytes]:
        count = 0
        while piece := response.raw.read1(_PIECE, decode_content=False):
            count += len(piece)
            if count > max_bytes:
                if strict:
                    raise WrongContent(f"{self._location}: sent more than {max_bytes} bytes; the download was cut off")
                yield piece[: max_bytes - count]
                return
            yield piece
            deadline.remaining()
        declared = response.headers.get("Content-Length", str(count))
        if strict and declared != str(count):
            raise Retryable(f"{self._location}: the answer broke off after {count} bytes; try again")


def _first_line(said: object) -> str:
    """Something short and printable of what a stranger said."""
    line = (str(said).splitlines() or [""])[0][:200]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
