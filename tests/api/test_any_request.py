"""Requests made up from the API's own description: whatever is asked, nothing breaks inside."""

from __future__ import annotations

import asyncio
from typing import Any

import hypothesis
import pytest
import schemathesis
import small_city as world
from conftest import Api
from hypothesis import HealthCheck, Phase

from corrections_monitor.model.cases import Role

EXAMPLES_PER_OPERATION = 5
# The stream does not end; logging out would end the asking; readyz may well say 503.
APART = (
    ("/api/v1/stream", "get"),
    ("/api/v1/session", "delete"),
    ("/api/v1/sessions/{session_id}", "delete"),
    ("/readyz", "get"),
)


@pytest.mark.filterwarnings("ignore")
async def test_no_request_ends_in_an_internal_error(api: Api) -> None:
    line, alert = world.violation("p-a1")
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    chief = await api.login(Role.SUPERVISOR, "city")
    description = (await chief.get("/api/openapi.json")).json()
    token = chief.headers["Authorization"]
    answers = await asyncio.to_thread(_ask_everything, description, api.url, token)
    assert len(answers) > 100
    broken = [(method, url, status) for method, url, status in answers if status >= 500]
    assert not broken, broken[:5]
    # It got past the doors, to the end.
    assert 401 not in {status for _, _, status in answers[-20:]}
    assert len([status for _, _, status in answers if status == 200]) > 20


def _ask_everything(description: dict[str, Any], url: str, token: str) -> list[tuple[str, str, int]]:
    """Every operation with made-up values, from the same seed each time: (method, url, status)."""
    answers: list[tuple[str, str, int]] = []
    for path, method in APART:
        description["paths"][path].pop(method)
    described = schemathesis.openapi.from_dict(description)
    described.config.update(base_url=url)
    for found in described.get_all_operations():
        operation = found.ok()
        sound = operation.as_strategy()
        unsound = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

        @hypothesis.settings(
            max_examples=EXAMPLES_PER_OPERATION,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=sound | unsound)
        def ask(case: Any) -> None:
            answer = case.call(headers={"Authorization": token}, timeout=20)
            answers.append((case.method, answer.request.url, answer.status_code))

        ask()
    return answers
