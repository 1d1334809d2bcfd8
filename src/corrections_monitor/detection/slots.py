"""What each person's place is compared with, compiled by columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from corrections_monitor.detection.by_person import starts_of
from corrections_monitor.model.cases import CaseSet, Leave, Zone, ZoneKind
from corrections_monitor.model.telemetry import I32, I64, Bools


class SlotKind(IntEnum):
    GROUP = 0
    EXCLUSION = 1
    LEAVE = 2


class Slots(NamedTuple):
    """Of P persons S slots with M member zones, one person after the other; of one person the groups by
    their names, the exclusion zones by their ids, and the leaves that name zones as they begin.

    ``ptr`` int64[P+1]; ``kind`` uint8[S]; ``person`` int32[S]; ``member_ptr`` int64[S+1]; ``member_zone``
    int32[M]; ``mixed`` bool[S]; ``leaves``: the leave of each slot that is one.
    """

    ptr: I64
    kind: np.ndarray
    person: I32
    member_ptr: I64
    member_zone: I32
    mixed: Bools
    leaves: dict[int, str]


def compile_slots(
    cases: CaseSet,
    numbers: Mapping[str, int],
    zones: Sequence[Zone],
    offices_up: Mapping[str, tuple[str, ...]],
    leaves_of: Callable[[int], tuple[Leave, ...]],
) -> Slots:
    """``numbers`` of the persons; ``zones`` as numbered; ``offices_up``: each office and those above it;
    ``leaves_of``: a person's, by number, as they begin."""
    on_leave = sorted({numbers[leave.person_id] for leave in cases.leaves.values() if leave.zone_ids})
    leaves = [leave for number in on_leave for leave in leaves_of(number) if leave.zone_ids]
    person, zone = _pairs(cases, zones, numbers, offices_up)
    by_id = np.empty(len(zones), np.int32)
    by_id[sorted(range(len(zones)), key=lambda z: zones[z].zone_id)] = np.arange(len(zones))
    kind = np.fromiter(
        (SlotKind.EXCLUSION if z.kind is ZoneKind.EXCLUSION else SlotKind.GROUP for z in zones),
        np.uint8,
        len(zones),
    )
    by_subject = _ranks([z.zone_id if k else z.group or z.zone_id for z, k in zip(zones, kind, strict=True)])
    zone_no = {zones[z].zone_id: z for z in range(len(zones))} if leaves else {}
    named = [[zone_no[zone_id] for zone_id in leave.zone_ids] for leave in leaves]
    counts = [len(some) for some in named]

    # One row for each zone of each person: by person, kind, subject and then zone.
    leave_person = np.repeat(np.array([numbers[v.person_id] for v in leaves], np.int32), counts)
    of_kind = np.concatenate((kind[zone], np.full(len(leave_person), SlotKind.LEAVE, np.uint8)))
    subject = np.concatenate((by_subject[zone], np.repeat(np.arange(len(leaves), dtype=np.int32), counts)))
    within = np.concatenate((by_id[zone], np.arange(len(leave_person), dtype=np.int32)))
    member = np.concatenate((zone, np.array([z for some in named for z in some], np.int32)))
    owner = np.concatenate((person, leave_person))
    order = np.lexsort((within, subject, of_kind, owner))
    owner, of_kind, subject, member = owner[order], of_kind[order], subject[order], member[order]
    first = np.ones(len(owner), dtype=bool)
    first[1:] = (owner[1:] != owner[:-1]) | (of_kind[1:] != of_kind[:-1]) | (subject[1:] != subject[:-1])
    begins = np.flatnonzero(first)
    slot_kind, slot_person = of_kind[begins], owner[begins]
    leave_slots = np.flatnonzero(slot_kind == SlotKind.LEAVE)
    return Slots(
        starts_of(slot_person, len(numbers)),
        slot_kind,
        slot_person,
        np.append(begins, len(member)).astype(np.int64),
        member,
        _mixed(zones, member, begins),
        {int(slot): leaves[subject[begins[slot]]].leave_id for slot in leave_slots},
    )


def _pairs(
    cases: CaseSet,
    zones: Sequence[Zone],
    numbers: Mapping[str, int],
    offices_up: Mapping[str, tuple[str, ...]],
) -> tuple[I32, I32]:
    """(person, zone) for every zone that applies to a person; protected persons have none."""
    by_scope: dict[str, list[int]] = defaultdict(list)
    for number, zone in enumerate(zones):
        by_scope[zone.applies_to].append(number)
    by_scope.pop("", None)
    judged: dict[str, list[int]] = defaultdict(list)  # by office
    for person_id, number in numbers.items():
        person = cases.people[person_id]
        if not person.is_protected:
            judged[person.office_id].append(number)

    def parts() -> Iterator[tuple[I32, I32]]:
        for office_id, people in judged.items():
            shared = [z for scope in ("*", *offices_up.get(office_id, ())) for z in by_scope.get(scope, ())]
            yield (
                np.repeat(np.array(people, np.int32), len(shared)),
                np.tile(np.array(shared, np.int32), len(people)),
            )
        own = [
            (numbers[scope], z)
            for scope, some in by_scope.items()
            if scope in numbers and not cases.people[scope].is_protected
            for z in some
        ]
        yield np.array([p for p, _ in own], np.int32), np.array([z for _, z in own], np.int32)

    of_person, of_zone = zip(*parts(), strict=True)
    return np.concatenate(of_person), np.concatenate(of_zone)


def _ranks(names: list[str]) -> I32:
    """Each name's place among all of them in order, equal ones alike."""
    place = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.fromiter((place[name] for name in names), np.int32, len(names))


def _mixed(zones: Sequence[Zone], member: I32, begins: I64) -> Bools:
    """Slots whose members hold at different hours."""
    ends = np.append(begins[1:], len(member))
    mixed = np.zeros(len(begins), dtype=bool)
    for slot in np.flatnonzero(ends - begins > 1):
        hours = {zones[z].schedule for z in member[begins[slot] : ends[slot]].tolist()}
        mixed[slot] = len(hours) > 1
    return mixed
