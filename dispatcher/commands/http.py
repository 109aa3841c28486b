"""The API as the command line uses it."""

import json
import secrets
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import typer

PATIENCE_S = 30.0

Url = Annotated[
    str, typer.Option("--url", envvar="WARDLINE_URL", help="Where the dispatcher answers.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
HERE = "http://127.0.0.1:8080"


class NoAnswer(Exception):
    """Nobody answers there, or not a dispatcher; the message says what to do."""


class Refusal(Exception):
    """The dispatcher says no; ``problem`` is its error as JSON."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.problem = problem
        super().__init__(str(problem["message"]))


class Api:
    """One dispatcher's API.

    Raises (all methods):
        NoAnswer: there is nobody at the address.
        Refusal: the answer is an error.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise typer.BadParameter(f"{url!r} is no address; write one such as {HERE}")
        self._url = url.rstrip("/")
        self._opener = build_opener(ProxyHandler({}))

    def get(self, *path: str, **query: Any) -> Any:
        """Ask for something; parameters that are None or empty are left out."""
        asked = {name: value for name, value in query.items() if value not in (None, "", [])}
        return self._call(Request(self._address(path, urlencode(asked, doseq=True))))

    def text(self, *path: str, **query: Any) -> str:
        """Ask for something that is no JSON; parameters that are None are left out."""
        asked = {name: value for name, value in query.items() if value is not None}
        request = Request(self._address(path, urlencode(asked)))
        return self._open(request, lambda answer: answer.read().decode())

    def post(self, *path: str, body: Any = None, key: str | None = None) -> Any:
        """Have something done, once, however often this very request arrives."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key or secrets.token_hex(16),
        }
        data = json.dumps({} if body is None else body).encode()
        return self._call(Request(self._address(path, ""), data, headers, method="POST"))

    def _address(self, path: tuple[str, ...], query: str) -> str:
        where = "/".join(quote(step, safe="~:") for step in path)
        return f"{self._url}/api/v1/{where}{'?' if query else ''}{query}"

    def _call(self, request: Request) -> Any:
        return self._open(request, json.load)

    def _open(self, request: Request, read: Callable[[Any], Any]) -> Any:
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                return read(answer)
        except HTTPError as error:
            raise self._refusal(error) from None
        except (URLError, HTTPException, OSError) as error:
            why = getattr(error, "reason", None) or error
            raise NoAnswer(
                f"no dispatcher answers at {self._url} ({why}); start one with "
                "'wardline serve CONFIG', or say where it is with --url or WARDLINE_URL"
            ) from None
        except ValueError:
            raise self._stranger() from None

    def _refusal(self, error: HTTPError) -> Exception:
        with error:
            try:
                problem = json.load(error)["error"]
                return Refusal({"code": problem["code"], "message": problem["message"], **problem})
            except (ValueError, TypeError, KeyError):
                return self._stranger()

    def _stranger(self) -> NoAnswer:
        return NoAnswer(f"what answers at {self._url} is no dispatcher; check --url")
