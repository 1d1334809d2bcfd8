"""CONTRACT §2 as a device writes it.  Shares nothing with the daemon's decoder, on purpose: a fault in
one codec must not hide behind the same fault in the other."""

from __future__ import annotations

import json


def fix_topic(county: str, device_id: str) -> str:
    """Where a device sends its fixes."""
    return f"cm/v1/{county}/{device_id}/fix"


def band_topic(county: str, device_id: str) -> str:
    """Where a band sends its events."""
    return f"cm/v1/{county}/{device_id}/band"


def status_topic(county: str, device_id: str) -> str:
    """Where a device says that it is there, and its last will says that it is not."""
    return f"cm/v1/{county}/{device_id}/status"


def fix(
    t_ms: int,
    lon: float,
    lat: float,
    acc_m: float | None = None,
    spd_mps: float | None = None,
    hdg_deg: float | None = None,
    src: str | None = None,
) -> str:
    """One fix as JSON text; what is None is left out.  Degrees to 1e-7 (a centimetre)."""
    text = f'{{"t":{t_ms},"lon":{lon:.7f},"lat":{lat:.7f}'
    if acc_m is not None:
        text += f',"acc":{acc_m:.1f}'
    if spd_mps is not None:
        text += f',"spd":{spd_mps:.1f}'
    if hdg_deg is not None:
        text += f',"hdg":{hdg_deg:.0f}'
    if src is not None:
        text += f',"src":"{src}"'
    return text + "}"


def fix_payload(seq: int | None, fixes: list[str], bat_pct: int | None = None) -> str:
    """One message of one or many fixes, each as written by ``fix``."""
    head = "{" if seq is None else f'{{"seq":{seq},'
    tail = "}" if bat_pct is None else f',"bat":{bat_pct}}}'
    return f'{head}"fixes":[{",".join(fixes)}],"crs":"wgs84"{tail}'


def band_payload(seq: int | None, t_ms: int, ev: str, bat_pct: int | None = None) -> str:
    """One event of a band; ``heartbeat`` is the everyday one."""
    head = "{" if seq is None else f'{{"seq":{seq},'
    tail = "}" if bat_pct is None else f',"bat":{bat_pct}}}'
    return f'{head}"t":{t_ms},"ev":{json.dumps(ev)}{tail}'


def status_payload(online: bool, t_ms: int) -> str:
    """``online`` true on connecting, false as last will."""
    return f'{{"online":{"true" if online else "false"},"t":{t_ms}}}'
