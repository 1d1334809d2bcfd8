"""What the engine remembers: columns for what every person and device has, memory for the few with a story.

Columns are numbered like the ``City`` they were made for; memory is keyed by names, so that a change of
cases only re-numbers the columns.  Times are epoch ms; a time that never was is NEVER_MS.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from corrections_monitor.detection.band import DeviceMemory
from corrections_monitor.detection.belief import Belief, Glimpse
from corrections_monitor.detection.city import City
from corrections_monitor.detection.doubts import Doubts
from corrections_monitor.detection.ledger import Ledger
from corrections_monitor.detection.sequence import Runs
from corrections_monitor.detection.silence import NEVER_MS
from corrections_monitor.detection.story import Story
from corrections_monitor.model.telemetry import F64, I32, I64, NO_BATTERY, NO_SEQ, Bools
from corrections_monitor.model.times import OPEN_END_MS, OPEN_START_MS

DEVICE_COLUMNS = (
    "contact_ms", "fix_ms", "known_ms", "seq", "t_ms", "live_ms", "fine_ms", "battery_pct",
    "good_ms", "good_lon", "good_lat", "good_acc_m", "good_mps", "good_claimed_m",
    "same_count", "anew_count", "same_ms", "same_worst_m", "dither", "calm_ms", "jump_ms", "jump_m",
    "jump_stays",
)  # fmt: skip
PERSON_COLUMNS = ("last_t_ms", "last_lon", "last_lat", "last_doubt_m")


@dataclass(slots=True)
class Memory:
    """One person's story: episodes, beliefs, devices, missing messages, nearness to protected persons,
    fixes that contradict each other, and when the last silence of all devices ended."""

    ledger: Ledger
    story: Story = field(default_factory=Story)  # of place
    devices: dict[str, DeviceMemory] = field(default_factory=dict)
    runs: dict[str, Runs] = field(default_factory=dict)
    near: dict[str, Belief] = field(default_factory=dict)
    doubts: Doubts = field(default_factory=Doubts)
    returned_ms: int = NEVER_MS

    @property
    def is_blank(self) -> bool:
        """Whether forgetting it would change nothing: nothing open, remembered or doubted."""
        if not self.story.is_blank:
            return False
        bare = replace(
            self,
            story=Story(),
            devices={name: device for name, device in self.devices.items() if device != _UNHEARD},
        )
        return bare == Memory(Ledger(self.ledger.person_id, self.ledger.office_id))


_UNHEARD = DeviceMemory()


class Columns:
    """Arrays over devices (D), persons (P) and slots (S) of one city.

    ``contact_ms``, ``fix_ms`` int64[D]: arrival of the last contact and last usable fix; ``known_ms``:
    since when the device is in the cases; ``seq``, ``t_ms``: highest message number and newest event time;
    ``live_ms``: arrival of the last message that was sent just before.
    ``battery_pct``: as last told; ``fine_ms``: since when all fixes came from under the open sky (``loss``);
    ``good_*`` [D]: the newest fix good enough to compare others with, and the speed up to it in m/s;
    ``same_count`` int64[D]: how many fixes gave that very position, since ``same_ms``, ``anew_count`` of
    them with another accuracy (``good_claimed_m`` as sent) and ``same_worst_m`` the worst;
    ``dither`` int64[D]: how many fixes before those all differed though it stood; ``calm_ms`` int64[D]:
    since when no fix leapt or was merely held; ``jump_ms``, ``jump_m`` [D]: when and how far it jumped, if
    it is where it jumped to;
    ``jump_stays`` int64[D]: how many fixes have stayed there;
    ``pair_device`` int32[P]: whose fix the last was.
    ``last_t_ms`` int64[P], ``last_lon``, ``last_lat``, ``last_doubt_m`` float64[P]: the newest fix.
    ``due_ms`` int64[P]: when to look at a person next; ``floor_ms``, ``returned_ms``: from when on time
    counts as silence, and as time without a position, whatever was heard before (``silence``).
    ``watched`` bool[P]: any contact may change something; ``storied`` bool[P]: there is a
    ``Memory``.  ``since_ms`` int64[P], ``beyond`` bool[S], ``quiet_from_ms``,
    ``quiet_until_ms`` int64[S]: what lets ``quiet`` pass a fix over: one that agrees with what is believed,
    from after the last change of the person's story and from when until when nothing else is demanded.
    """

    def __init__(self, city: City) -> None:
        devices, people, slots = len(city.device_ids), len(city.person_ids), len(city.slot_kind)
        self.contact_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.fix_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.known_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.seq = np.full(devices, NO_SEQ, dtype=np.int64)
        self.t_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.live_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.fine_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.battery_pct = np.full(devices, NO_BATTERY, dtype=np.int64)
        self.good_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.good_lon = np.full(devices, np.nan)
        self.good_lat = np.full(devices, np.nan)
        self.good_acc_m = np.full(devices, np.nan)
        self.good_mps = np.zeros(devices)
        self.good_claimed_m = np.full(devices, np.nan, dtype=np.float32)
        self.anew_count = np.zeros(devices, dtype=np.int64)
        self.same_count = np.zeros(devices, dtype=np.int64)
        self.same_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.same_worst_m = np.full(devices, np.nan)
        self.dither = np.zeros(devices, dtype=np.int64)
        self.calm_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.jump_ms = np.full(devices, NEVER_MS, dtype=np.int64)
        self.jump_m = np.zeros(devices)
        self.jump_stays = np.zeros(devices, dtype=np.int64)
        self.pair_device = np.full(people, -1, dtype=np.int32)
        self.last_t_ms = np.full(people, OPEN_START_MS, dtype=np.int64)
        self.last_lon = np.full(people, np.nan)
        self.last_lat = np.full(people, np.nan)
        self.last_doubt_m = np.full(people, np.nan)
        self.due_ms = np.full(people, OPEN_START_MS, dtype=np.int64)
        self.other_due_ms = np.full(people, OPEN_START_MS, dtype=np.int64)
        self.floor_ms = np.full(people, NEVER_MS, dtype=np.int64)
        self.returned_ms = np.full(people, NEVER_MS, dtype=np.int64)
        self.watched = np.ones(people, dtype=bool)
        self.storied = np.zeros(people, dtype=bool)
        self.beyond = np.zeros(slots, dtype=bool)
        self.since_ms = np.full(people, OPEN_START_MS, dtype=np.int64)
        self.quiet_from_ms = np.full(slots, OPEN_START_MS, dtype=np.int64)
        self.quiet_until_ms = np.full(slots, OPEN_END_MS, dtype=np.int64)

    def newest(self, person: int) -> Glimpse:
        """The newest fix of a person."""
        return Glimpse(
            int(self.last_t_ms[person]), float(self.last_lon[person]),
            float(self.last_lat[person]), float(self.last_doubt_m[person]),
        )  # fmt: skip

    def is_newer(self, person: I32, t_ms: I64, lon: F64, lat: F64, doubt: F64) -> Bools:
        """Which of n fixes come after the newest of their persons in order (``retell.in_order``)."""
        last = (self.last_t_ms, self.last_lon, self.last_lat, self.last_doubt_m)
        newer, same = np.zeros(len(person), dtype=bool), np.ones(len(person), dtype=bool)
        for value, known in zip((t_ms, lon, lat, doubt), last, strict=True):
            newer |= same & (value > known[person])
            same &= value == known[person]
        return newer

    def see(self, person: I32, t_ms: I64, lon: F64, lat: F64, doubt: F64, rows: I64) -> None:
        """Make these rows of n fixes the newest of their persons, one after the other."""
        who = person[rows]
        self.last_t_ms[who], self.last_lon[who] = t_ms[rows], lon[rows]
        self.last_lat[who], self.last_doubt_m[who] = lat[rows], doubt[rows]

    def carry_over(self, old: Columns, old_city: City, city: City) -> None:
        """Take the values of devices and persons that are in both cities."""
        for names, ids_then, no_now in (
            (DEVICE_COLUMNS, old_city.device_ids, city.device_no),
            (PERSON_COLUMNS, old_city.person_ids, city.person_no),
        ):
            pairs = [(i, no_now[name]) for i, name in enumerate(ids_then) if name in no_now]
            if not pairs:
                continue
            then, now = np.array(pairs, dtype=np.int64).T
            for name in names:
                getattr(self, name)[now] = getattr(old, name)[then]
        renumbered = np.array([city.device_no.get(d, -1) for d in old_city.device_ids] + [-1], np.int32)
        for then, name in enumerate(old_city.person_ids):
            if name in city.person_no:
                self.pair_device[city.person_no[name]] = renumbered[old.pair_device[then]]
