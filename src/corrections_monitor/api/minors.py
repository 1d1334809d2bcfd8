"""Opening a guarded file of a minor (未成年人档案) within one request."""

from __future__ import annotations

from corrections_monitor.api.jurisdiction import Principal
from corrections_monitor.api.problems import Problem
from corrections_monitor.api.state import ApiState
from corrections_monitor.store.api_minors import open_file


async def require_opened(state: ApiState, asker: Principal, person_id: str, reason: str) -> None:
    """From here on this request reads the file.  Raises the 403; both are logged."""
    now_ms = state.clock.wall_ms()
    if not await open_file(state.store, asker.offices, person_id, reason, asker.principal_id, now_ms):
        raise Problem("not-permitted", "未成年人档案依法单独保护，只有本所所长和指定人员可以查阅。")
