"""Guessing a password gets slower and slower; mistyping one does not hurt."""

from __future__ import annotations

from corrections_monitor.api.lockout import FREE_TRIES, KEYS_MAX, LONGEST_WAIT_S, Lockout


def _fail(lockout: Lockout, times: int, at_s: float = 0.0, user: str = "li") -> None:
    for _ in range(times):
        lockout.failed(user, "10.0.0.1", at_s)


def test_a_few_mistakes_cost_nothing() -> None:
    lockout = Lockout()
    _fail(lockout, FREE_TRIES)
    assert lockout.wait_s("li", "10.0.0.1", 0.0) == 0.0


def test_every_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    lockout = Lockout()
    _fail(lockout, FREE_TRIES)
    waits = []
    for _ in range(12):
        _fail(lockout, 1)
        waits.append(lockout.wait_s("li", "10.0.0.1", 0.0))
    assert waits[:4] == [2.0, 4.0, 8.0, 16.0]
    assert waits[-1] == LONGEST_WAIT_S


def test_the_wait_is_over_when_it_is_over_and_forgotten_after_an_hour() -> None:
    lockout = Lockout()
    _fail(lockout, FREE_TRIES + 1)
    assert lockout.wait_s("li", "10.0.0.1", 1.5) == 0.5
    assert lockout.wait_s("li", "10.0.0.1", 2.0) == 0.0
    assert lockout.wait_s("li", "10.0.0.1", 4_000.0) == 0.0
    _fail(lockout, 1, at_s=4_000.0)
    assert lockout.wait_s("li", "10.0.0.1", 4_000.0) == 0.0


def test_a_guesser_elsewhere_does_not_lock_the_officer_out() -> None:
    lockout = Lockout()
    _fail(lockout, 20)
    assert lockout.wait_s("li", "10.0.0.2", 0.0) == 0.0


def test_the_right_password_clears_the_slate() -> None:
    lockout = Lockout()
    _fail(lockout, FREE_TRIES)
    lockout.succeeded("li", "10.0.0.1")
    _fail(lockout, FREE_TRIES)
    assert lockout.wait_s("li", "10.0.0.1", 0.0) == 0.0


def test_what_is_remembered_is_bounded() -> None:
    lockout = Lockout()
    for n in range(KEYS_MAX + 5):
        _fail(lockout, 1, user=f"u{n}")
    assert len(lockout._records) == KEYS_MAX
