"""``/``: the console (控制台), static files of the package, under a policy: speak to this server only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from corrections_monitor.api.access import Asker
from corrections_monitor.api.state import ApiState, state_of

FILES = Path(__file__).parents[2] / "console"

router = APIRouter(tags=["console"])

State = Annotated[ApiState, Depends(state_of)]


class ConsoleFiles(StaticFiles):
    """Files that a browser asks about again each time: after an upgrade no page runs on half old files."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As Starlette's; scripts always under their own type, whatever the system's MIME table says."""
        response = await super().get_response(path, scope)
        if path.endswith(".js"):
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        if path == "stream_worker.js":
            # A worker has a policy of its own; this one listens, and does nothing else.
            response.headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'"
        return response


def files() -> StaticFiles:
    """The application to mount at ``/console``."""
    return ConsoleFiles(directory=FILES)


@router.get("/", include_in_schema=False)
async def page(state: State) -> FileResponse:
    """The one page; everything else is loaded by it."""
    headers = {
        "Content-Security-Policy": content_policy(state.config.http.tiles),
        "Cache-Control": "no-cache",
    }
    return FileResponse(FILES / "index.html", media_type="text/html; charset=utf-8", headers=headers)


@router.get("/api/v1/settings", summary="界面设置 · What the console needs to know")
async def settings(_asker: Asker, state: State) -> dict[str, object]:
    """Civil time zone, the site's language, the source of map tiles (底图) and of video calls (视频点名)."""
    return {
        "timezone": state.zone.key,
        "language": state.config.site.language,
        "tiles": state.config.http.tiles,
        "tiles_notice": state.config.http.tiles_notice,
        "tiles_gcj02": state.config.http.tiles_gcj02,
        "video_call": state.config.http.video_call,
    }


def content_policy(tiles: str | None) -> str:
    """The Content-Security-Policy of the page: nothing from or to anywhere but here and the tiles' host."""
    pictures = "'self' data:"
    if tiles:
        address = urlsplit(tiles)
        # Leaflet puts one of several servers in place of {s}; a policy knows only a star.
        pictures += f" {address.scheme}://{address.netloc.replace('{s}', '*')}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
        f"img-src {pictures}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
