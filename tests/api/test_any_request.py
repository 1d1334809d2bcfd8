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

# (who asks, made-up requests to each operation)
ASKERS = [(Role.SUPERVISOR, 5), *((role, 1) for role in Role if role is not Role.SUPERVISOR), (None, 1)]
# The stream does not end; logging out would end the asking; readyz may well say 503.
APART = (
    ("/api/v1/stream", "get"),
    ("/api/v1/session", "delete"),
    ("/api/v1/sessions/{session_id}", "delete"),
    ("/readyz", "get"),
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("role", "examples"), [pytest.param(*a, id=a[0] or "service") for a in ASKERS])
async def test_no_request_ends_in_an_internal_error(api: Api, role: Role | None, examples: int) -> None:
    line, alert = world.violation("p-a1")
    async with api.store.transaction() as tx:
        await tx.write_alerts([alert])
        await tx.write_lines([line])
    if role:
        asker = await api.login(role, "city")
    else:
        token = await api.store.credentials.issue("service", "platform", world.NOW_MS, "test")
        asker = api.client(Authorization=f"Bearer {token}")
    description = (await asker.get("/api/openapi.json")).json()
    authorization = asker.headers["Authorization"]
    answers = await asyncio.to_thread(_ask_everything, description, api.url, authorization, examples)
    assert len(answers) > 50
    broken = [(method, url, status) for method, url, status in answers if status >= 500]
    assert not broken, broken[:5]
    # It got past the doors, to the end.
    assert 401 not in {status for _, _, status in answers[-20:]}
    assert len([status for _, _, status in answers if status == 200]) > 4 * examples


def _ask_everything(
    description: dict[str, Any], url: str, authorization: str, examples: int
) -> list[tuple[str, str, int]]:
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
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=sound | unsound)
        def ask(case: Any) -> None:
            answer = case.call(headers={"Authorization": authorization}, timeout=20)
            answers.append((case.method, answer.request.url, answer.status_code))

        ask()
    return answers
