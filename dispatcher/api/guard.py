"""What every HTTP request passes first: limits on its body; and headers on every answer."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatcher.api.errors import problem

MAX_BODY_BYTES = 1024 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Guard:
    """Reads a request's body, up to 1 MiB, before anything else sees the request.

    What is larger is answered with 413 as soon as that is known, what is not JSON with 415: a
    page of another origin can't send JSON without asking first, so it can't give orders here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > MAX_BODY_BYTES:
            await _too_large(scope, receive, send_with_headers)
            return
        try:
            body = await _body(receive)
        except ClientDisconnect:
            return  # what was half said is not done
        if body is None:
            await _too_large(scope, receive, send_with_headers)
        elif body and not _is_json(headers.get("content-type", "")):
            answer = problem(415, "not_json", "send Content-Type: application/json")
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, _again(body, receive), send_with_headers)


async def _body(receive: Receive) -> bytes | None:
    """All of the body; None as soon as it is too large. Raises ClientDisconnect."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body that was read, then goes on."""
    told = False

    async def once_more() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem(413, "too_large", "the body is over 1 MiB; send fewer tasks at once")
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)
