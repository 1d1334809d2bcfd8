"""What an open episode holds back (抑制): while a whole office is silent, its single silences page nobody.

They stand on the board all the same, as minor.  What outlasts the outage is released when that ends and
weighs from then on what its age says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from corrections_monitor.model.episodes import Episode, Kind, Severity

HELD_BACK_BY: Mapping[Kind, Kind] = {
    Kind.SILENCE_DEVICE: Kind.OUTAGE,
    Kind.SILENCE_POSITION: Kind.OUTAGE,
    Kind.SILENCE_BAND: Kind.OUTAGE,
}
HELD_AT_MOST = Severity.MINOR

HOLDERS = frozenset(HELD_BACK_BY.values())


def holder(episode: Episode, offices: Sequence[str], open_holders: Iterable[Episode]) -> Episode | None:
    """The open episode that holds this one back: of an office of the person, and begun before this one
    was noticed (a device that reports seldom was last heard long before the outage that silenced it).

    ``offices``: the person's office and those above it.
    """
    wanted = HELD_BACK_BY.get(episode.kind)
    for other in open_holders:
        if other.kind is wanted and other.subject in offices and other.started_ms <= episode.detected_ms:
            return other
    return None
