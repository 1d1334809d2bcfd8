"""The clock that goes on when the machine's is set: deadlines keep, and time never goes back."""

from __future__ import annotations

import pytest

from corrections_monitor.clock import STEADY_S, SteadyClock

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
JUMPS = (HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS, 61_000, -61_000)


class Machine:
    """A machine whose wall clock anybody may set."""

    def __init__(self) -> None:
        self.passed_s, self.set_ms = 1_000.0, 1_795_000_000_000

    def wall_ms(self) -> int:
        return int(self.passed_s * 1_000) + self.set_ms

    def monotonic_s(self) -> float:
        return self.passed_s

    def run(self, clock: SteadyClock, seconds: float) -> None:
        """Let time pass, looked at every second."""
        for _ in range(int(seconds)):
            self.passed_s += 1
            clock.wall_ms()


@pytest.mark.parametrize("jump_ms", JUMPS)
def test_after_a_jump_time_goes_on_as_if_there_had_been_none(jump_ms: int) -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    right_ms = clock.wall_ms()
    machine.set_ms += jump_ms
    machine.run(clock, 100)
    assert clock.wall_ms() == right_ms + 100_000
    assert clock.fault() == f"the clock jumped by {jump_ms / 1_000:+.0f} s"
    machine.set_ms -= jump_ms
    machine.run(clock, 100)
    assert clock.wall_ms() == right_ms + 200_000
    assert clock.fault() is None
    assert clock.proven_ms == 0


def test_a_small_step_is_followed_at_once_and_many_of_them_are_no_jump() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    for _ in range(10):
        machine.set_ms += 59_000
        machine.run(clock, 1)
        assert clock.wall_ms() == machine.wall_ms()
        assert clock.fault() is None


def test_a_clock_set_forward_is_followed_once_it_has_proven_itself_and_not_before() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.set_ms += DAY_MS
    machine.run(clock, STEADY_S - 10)
    machine.set_ms += 5_000  # not even yet
    machine.run(clock, STEADY_S - 1)
    assert clock.proven_ms == 0
    machine.run(clock, 2)
    assert clock.proven_ms == DAY_MS + 5_000
    clock.follow()
    assert clock.wall_ms() == machine.wall_ms()
    assert clock.fault() is None
    assert clock.proven_ms == 0


def test_where_time_would_go_back_it_runs_at_half_speed_until_it_is_caught_up() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    machine.set_ms -= HOUR_MS
    machine.run(clock, STEADY_S + 1)
    before_ms = clock.wall_ms()
    clock.follow()
    machine.run(clock, 1_000)
    assert clock.wall_ms() == before_ms + 500_000
    assert clock.fault() == "the clock is 3100 s behind the time already used"
    machine.run(clock, 6_300)
    assert clock.wall_ms() == machine.wall_ms()
    assert clock.fault() is None


def test_a_machine_that_starts_with_a_slow_clock_does_not_go_behind_what_is_stored() -> None:
    machine = Machine()
    clock = SteadyClock(machine)
    stored_ms = clock.wall_ms() + DAY_MS
    clock.not_before(stored_ms)
    machine.run(clock, 10)
    assert clock.wall_ms() == stored_ms + 5_000
    assert clock.fault() == "the clock is 86395 s behind the time already used"
    machine.set_ms += DAY_MS
    machine.run(clock, STEADY_S + 1)
    clock.follow()
    assert clock.wall_ms() == machine.wall_ms()
    assert clock.fault() is None
