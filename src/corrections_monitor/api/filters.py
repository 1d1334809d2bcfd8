"""The filters that alerts and violations share, out of a query into what the store is asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from corrections_monitor.api.access import may
from corrections_monitor.api.jurisdiction import Permission, Principal
from corrections_monitor.api.parameters import (
    Id,
    Names,
    Text,
    Time,
    read_interval,
    read_names,
)
from corrections_monitor.api.problems import not_found
from corrections_monitor.api.state import ApiState, state_of
from corrections_monitor.model.alerts import AlertState, Disposition
from corrections_monitor.model.episodes import Kind, Severity
from corrections_monitor.store.api_alerts import Filter
from corrections_monitor.store.api_offices import offices_below

_SEVERITIES = {str(severity): int(severity) for severity in Severity}


async def offices_asked(state: ApiState, asker: Principal, office: str | None) -> frozenset[str]:
    """The offices a list is about: all of the asker's, or those of one office and below.

    Raises the 404 for an office elsewhere.
    """
    if office is None:
        return asker.offices
    if office not in asker.offices:
        raise not_found("机构")
    return asker.offices & await offices_below(state.store, office)


async def read_filter(
    asker: Annotated[Principal, Depends(may(Permission.READ))],
    state: Annotated[ApiState, Depends(state_of)],
    state_: Annotated[Names, Query(alias="state")] = None,
    office: Id = None,
    person: Id = None,
    kind: Names = None,
    severity: Names = None,
    disposition: Names = None,
    q: Text = None,
    from_: Annotated[Time, Query(alias="from")] = None,
    to: Time = None,
) -> Filter:
    """``?state=&office=&person=&kind=&severity=&disposition=&q=&from=&to=``."""
    return Filter(
        offices=await offices_asked(state, asker, office),
        states=read_names("state", state_, AlertState),
        person_id=person,
        kinds=read_names("kind", kind, Kind),
        severities=tuple(_SEVERITIES[s] for s in read_names("severity", severity, _SEVERITIES)),
        dispositions=read_names("disposition", disposition, Disposition),
        text=q.strip() or None if q else None,
        interval=read_interval(from_, to, state.zone),
    )


Filtered = Annotated[Filter, Depends(read_filter)]
