"""What the daemon keeps of itself between two programs: either must read what the other has left.

A field that must be there is one that an earlier program may not have written, and that a later one may not
leave out.  So what is added to the state has a default, for ever, and this list stays as it is; where that
cannot be, the format rises and the way back is gone (``detection.snapshot.READS``).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from corrections_monitor.detection.snapshot import _Body
from corrections_monitor.live.codec import Entry, Snapshot
from corrections_monitor.rules.records import Memory

REQUIRED = {
    "Alert": "alert_id cause kind late leading_episode office_id opened_ms person_id reason round"
    " round_started_ms severity state step step_due_ms subject updated_ms",
    "AlertRecord": "alert first_started_ms ladder",
    "Answered": "alert_id answer at_ms officer_id",
    "Drill": "at_ms drill_id ends_ms kind office_id officer_id reason severity",
    "EndedEpisode": "alert_id closed_ms severity",
    "Entry": "answers drills events fixes histories messages now_ms resolved",
    "Episode": "detected_ms ended_ms episode_id kind late office_id person_id reason started_ms"
    " subject zone_id",
    "Glimpse": "doubt_m lat lon t_ms",
    "Inferred": "at_ms device_id kind last_ms",
    "Leaps": "end first_ms last_ms start",
    "Ledger": "office_id person_id",
    "Lost": "battery_pct place since_ms",
    "Memory": "ledger",
    "OpenEpisode": "alert_id change_due_ms episode severity",
    "Outage": "people",
    "Resolved": "at_ms episode_ids person_id",
    "Run": "after_ms first last left noticed_ms wait_ms",
    "Sighting": "acc_m beyond_m lat lon t_ms",
    "Sky": "from_ms last_ms place",
    "Snapshot": "book cases_version engine",
    "Told": "kind started_ms subject",
    "_Body": "columns device_ids format now_ms outages people person_ids sight_ms started_ms",
    "_Outages": "ledger open open_ones",
    "_Person": "memory open_ones",
}


def required(root: type) -> dict[str, set[str]]:
    """By type, below the root: the fields without which it cannot be read."""
    found: dict[str, set[str]] = {}

    def walk(info: Any) -> None:
        kind = getattr(info, "cls", None)
        if kind is not None and hasattr(info, "fields"):
            if kind.__name__ in found:
                return
            found[kind.__name__] = {field.name for field in info.fields if field.required}
            for field in info.fields:
                walk(field.type)
        for name in ("key_type", "value_type", "item_type"):
            if hasattr(info, name):
                walk(getattr(info, name))
        for part in (*getattr(info, "types", ()), *getattr(info, "item_types", ())):
            walk(part)

    walk(msgspec.inspect.type_info(root))
    return {name: fields for name, fields in found.items() if fields}


@pytest.mark.parametrize("root", [_Body, Entry, Snapshot, Memory], ids=lambda kind: kind.__name__)
def test_what_is_added_has_a_default(root: type) -> None:
    """Types that are new stand under what has a default."""
    needed = {name: fields for name, fields in required(root).items() if name in REQUIRED}
    assert needed == {name: set(REQUIRED[name].split()) for name in needed}
