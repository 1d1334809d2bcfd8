"""The application: routes, errors, and what runs beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from corrections_monitor import __version__
from corrections_monitor.api import description, problems
from corrections_monitor.api.feed import feed
from corrections_monitor.api.guards import Guards
from corrections_monitor.api.routes import (
    accounts,
    alerts,
    audit,
    cases,
    commands,
    console,
    drills,
    duty,
    health,
    holds,
    links,
    minors,
    offices,
    oidc,
    people,
    roster,
    session,
    statistics,
    stream,
    system,
    violations,
)
from corrections_monitor.api.state import ApiState
from corrections_monitor.clock import Clock
from corrections_monitor.config import Config
from corrections_monitor.store import Store

_ROUTERS = (
    session.router,
    oidc.router,
    accounts.router,
    holds.router,
    minors.router,
    roster.router,
    alerts.router,
    violations.router,
    people.router,
    commands.router,
    offices.router,
    statistics.router,
    drills.router,
    duty.router,  # before cases, whose /duty/{id} would take its paths
    cases.router,
    audit.router,
    stream.router,
    system.router,
    console.router,
    health.router,
    links.router,
)


def create_app(store: Store, config: Config, clock: Clock, registry: CollectorRegistry) -> FastAPI:
    """The ASGI application over a store that is open under the API's role.

    ``app.state.api`` is its ``ApiState``.  The store stays the caller's to close.
    """
    state = ApiState(store, config, clock, registry, last_led_s=clock.monotonic_s())

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        feeding = asyncio.create_task(feed(state))
        try:
            yield
        finally:
            state.hub.close()
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding
            state.passwords.close()

    app = FastAPI(
        title="corrections-monitor",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.api = state
    problems.install(app)
    description.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.mount("/console", console.files())
    app.add_middleware(Guards, behind_tls=config.http.secure_cookies)
    return app
