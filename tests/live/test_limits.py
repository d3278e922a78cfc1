"""A scan never asks faster than it may, slows down when it is told to, and waits as long as it is asked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lint.live.calls import DENIED, ERROR, THROTTLED, Call, Fault, LiveError, Page
from lint.live.collection import Collection, must
from lint.live.limits import SLOWEST, Limiter
from lint.live.options import LiveOptions

CALL = Call.of("1", "eu", "x.list")


@given(
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
    st.floats(0.5, 50),
    st.integers(1, 20),
)
def test_in_any_span_of_time_no_more_calls_are_made_than_rate_and_burst_allow(
    gaps: list[float], rate: float, burst: int
) -> None:
    now = [0.0]
    limiter = Limiter(rate, burst, clock=lambda: now[0])
    made: list[float] = []
    for gap in gaps:
        now[0] += gap
        made.append(now[0] + limiter.reserve("key"))
    for first, start in enumerate(made):
        for last in range(first, len(made)):
            assert last - first + 1 <= burst + rate * (made[last] - start) + 1e-6


def test_each_operation_has_a_bucket_of_its_own() -> None:
    limiter = Limiter(1, 1, clock=lambda: 0.0)
    assert limiter.reserve("a") == 0
    assert limiter.reserve("b") == 0
    assert limiter.reserve("a") == 1


def test_a_refusal_halves_the_pace_and_successes_bring_it_back() -> None:
    limiter = Limiter(8, 4, clock=lambda: 0.0)
    limiter.slower("a")
    assert limiter.reserve("a") == pytest.approx(1 / 4), "half the rate, and no burst"
    for _ in range(200):
        limiter.slower("a")
    assert limiter.reserve("a") == pytest.approx(2 / SLOWEST)
    for _ in range(200):
        limiter.succeeded("a")
    assert limiter.reserve("a") == pytest.approx(3 / 8), "never faster than asked for"


def scan_of(path: Path) -> Collection:
    """A scan that may ask as fast as it likes, with long pauses between attempts."""
    options = LiveOptions(rate=1000, burst=1000, attempts=5, backoff=1.0, longest_wait=60.0, progress=False)
    return Collection(path / "scan.sqlite", {}, options)


def test_attempts_wait_longer_each_time_and_as_long_as_the_service_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    with scan_of(tmp_path) as collection:
        monkeypatch.setattr(collection.stop, "wait", waited.append)
        asks = iter([None, 30.0, None, 90.0])

        def turn(_: str | None) -> Page:
            raise Fault(THROTTLED, "slow down", again=True, after=next(asks, None))

        answer = collection.gather(CALL, turn)
        collection.store.close()
    assert answer.status == THROTTLED
    pauses = [one for one in waited if one >= 0.5]
    assert 0.5 <= pauses[0] <= 1
    assert pauses[1] == 30
    assert 2 <= pauses[2] <= 4
    assert pauses[3] == 90
    assert len(pauses) == 4


def test_what_cannot_succeed_is_asked_once(tmp_path: Path) -> None:
    asked: list[str | None] = []

    def turn(token: str | None) -> Page:
        asked.append(token)
        raise Fault(DENIED, "no")

    with scan_of(tmp_path) as collection:
        answer = collection.gather(CALL, turn)
        assert (answer.status, answer.error, answer.pages) == (DENIED, "no", ())
        assert collection.gather(CALL, turn) == answer
        collection.store.close()
    assert asked == [None]


def test_a_service_that_gives_the_same_page_for_ever_is_stopped(tmp_path: Path) -> None:
    with scan_of(tmp_path) as collection:
        answer = collection.gather(CALL, lambda _: Page({}, "same"))
        collection.store.close()
    assert answer.status == ERROR
    assert "again and again" in answer.error


def test_a_mistake_of_ours_is_not_taken_for_a_failed_call(tmp_path: Path) -> None:
    def turn(_: str | None) -> Page:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), scan_of(tmp_path) as collection:
        collection.together([lambda: collection.gather(CALL, turn), lambda: collection.gather(CALL, turn)], 2)


def test_what_nothing_can_be_said_without_ends_the_scan_with_a_message(tmp_path: Path) -> None:
    def turn(_: str | None) -> Page:
        raise Fault(DENIED, "AccessDenied")

    with scan_of(tmp_path) as collection:
        answer = collection.gather(CALL, turn)
        collection.store.close()
    with pytest.raises(LiveError, match=r"listing things is denied: x\.list in 1, eu: AccessDenied; ask for the right"):
        must(answer, "listing things", "ask for the right")
