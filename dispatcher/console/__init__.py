"""The console: plain files for the browser, and how an app serves them.

Nothing here is built or bundled: the modules under ``static/`` run as they are written. Leaflet
comes out of the installed XStatic package and is never copied.
"""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from xstatic.pkg import leaflet

STATIC = Path(__file__).parent / "static"
"""The console's own files; ``index.html`` is the page."""

LEAFLET = Path(leaflet.BASE_DIR)
"""Leaflet's files, as the installed package has them."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _ConsoleFiles(StaticFiles):
    """Static files that a browser checks for news each time, under a strict policy."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(SECURITY_HEADERS)
        response.headers["Cache-Control"] = "no-cache"
        return response


def mount(app: FastAPI) -> None:
    """Serve the console at ``/`` and Leaflet at ``/vendor/leaflet``; call it after all routes."""
    app.mount("/vendor/leaflet", GZipMiddleware(_ConsoleFiles(directory=LEAFLET)), "leaflet")
    app.mount("/", GZipMiddleware(_ConsoleFiles(directory=STATIC, html=True)), "console")
