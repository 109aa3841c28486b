"""Writes that may be repeated: a caller who heard no answer asks again with the same key."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Header, Request, Response

from dispatcher.api.errors import problem
from dispatcher.errors import DispatchError
from dispatcher.records.store import Answer, Store

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any text of the caller's; the same key again does nothing twice.",
    ),
]


class Once:
    """Does each write once for its key.

    The intention is written down first, then the write is done, then its answer is kept. If the
    process dies in between, a repeat does the write again, which the service's own keys and
    states make harmless. A refused write is forgotten: it may be corrected under its key.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._busy: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(
        self,
        request: Request,
        key: str | None,
        write: Callable[[], Awaitable[str]],
        *,
        status: int = 200,
    ) -> Response:
        """Answer a write, or repeat the answer it got before.

        Args:
            key: the caller's; None = he does not want to repeat it.
            write: does it and returns the answer's JSON.
            status: of the first answer; a repeated one has 200.
        """
        if key is None:
            return _json(await write(), status)
        fingerprint = await _fingerprint(request)
        async with self._alone(key):
            known = await self._store.answer(key)
            if known is not None and known.fingerprint != fingerprint:
                said = "this Idempotency-Key was used for another request; take a new one"
                return problem(409, "key_reused", said)
            if known is not None and known.body is not None:
                return _json(known.body, 200)
            await self._store.remember(Answer(key=key, fingerprint=fingerprint))
            try:
                body = await write()
            except DispatchError:
                await self._store.forget(key=key)
                raise
            await self._store.remember(
                Answer(key=key, fingerprint=fingerprint, status=status, body=body)
            )
            return _json(body, status)

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncGenerator[None]:
        """One at a time for each key; a second one waits for the first one's answer."""
        lock, users = self._busy.get(key, (asyncio.Lock(), 0))
        self._busy[key] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._busy.pop(key)
            if users > 1:
                self._busy[key] = lock, users - 1


async def _fingerprint(request: Request) -> str:
    what = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return hashlib.sha256(what).hexdigest()


def _json(body: str, status: int) -> Response:
    return Response(body, status_code=status, media_type="application/json")
