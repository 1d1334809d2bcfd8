"""The files of a case folder and their columns, as CONTRACT §1 lists them."""

from __future__ import annotations

from dataclasses import dataclass

ZONES_FILE = "zones.geojson"


@dataclass(frozen=True, slots=True)
class TableLayout:
    """One CSV file.  ``columns``: those marked ``?`` may be absent; the key columns tell rows apart."""

    file: str
    table: str  # the attribute of CaseSet
    required: bool
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, without the marks."""
        return tuple(column.removesuffix("?") for column in self.columns)

    @property
    def required_names(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns if not column.endswith("?"))


def _layout(table: str, columns: str, key: str, *, required: bool = False) -> TableLayout:
    return TableLayout(f"{table}.csv", table, required, tuple(columns.split()), tuple(key.split()))


TABLES: dict[str, TableLayout] = {
    layout.table: layout
    for layout in (
        _layout("offices", "office_id parent_id level name adcode? lon? lat?", "office_id", required=True),
        _layout("officers", "officer_id office_id name role username channels?", "officer_id", required=True),
        _layout("duty", "office_id officer_id from to", "office_id officer_id from"),
        _layout("holidays", "date kind", "date"),
        _layout(
            "people",
            "person_id name category level? office_id officer_id from to",
            "person_id",
            required=True,
        ),
        _layout(
            "devices", "device_id kind person_id report_every_s? from to", "device_id from", required=True
        ),
        _layout(
            "orders",
            "order_id person_id ground approved_by approved_on from to extends?",
            "order_id",
            required=True,
        ),
        _layout("leaves", "leave_id person_id from to approved_by zone_ids?", "leave_id"),
        _layout("suspensions", "person_id from to reason", "person_id from"),
        _layout("contacts", "person_id protected_id distance_m", "person_id protected_id"),
    )
}
"""By the name of the CaseSet attribute, in an order in which each file refers to earlier ones."""

KNOWN_FILES = frozenset({layout.file for layout in TABLES.values()} | {ZONES_FILE})
