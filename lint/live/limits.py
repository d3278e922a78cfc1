"""How fast calls may follow one another: a token bucket for each operation, slower when the service complains.

A scan must never starve the account's own automation: AWS counts per account, region and operation, Azure per
subscription.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

SLOWEST = 0.1  # calls a second, however often the service refuses
RECOVERY = 1.05  # what each success adds to a slowed rate


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float  # when `tokens` was right, by the clock
    rate: float


class Limiter:
    """Token buckets by key. `wait` sleeps until a call may be made; sleeping ends early when `stop` is set."""

    def __init__(
        self,
        rate: float,
        burst: int,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = max(rate, SLOWEST)
        self._burst = max(float(burst), 1.0)
        self._stop = stop or threading.Event()
        self._clock = clock
        self._buckets: dict[Hashable, _Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, key: Hashable) -> float:
        """Take one token of a key, sleeping until there is one. Returns the seconds slept."""
        slept = self.reserve(key)
        if slept > 0:
            self._stop.wait(slept)
        return slept

    def reserve(self, key: Hashable) -> float:
        """Take one token now, on credit if need be; returns in how many seconds it is there."""
        with self._lock:
            bucket = self._bucket(key)
            bucket.tokens -= 1.0
            return 0.0 if bucket.tokens >= 0 else -bucket.tokens / bucket.rate

    def slower(self, key: Hashable) -> None:
        """The service refused a call for its rate: half the pace for this key, and no burst."""
        with self._lock:
            bucket = self._bucket(key)
            bucket.rate = max(bucket.rate / 2, SLOWEST)
            bucket.tokens = min(bucket.tokens, 0.0)

    def succeeded(self, key: Hashable) -> None:
        """A call went through: a slowed key recovers little by little."""
        with self._lock:
            bucket = self._bucket(key)
            bucket.rate = min(bucket.rate * RECOVERY, self._rate)

    def _bucket(self, key: Hashable) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now, self._rate)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * bucket.rate)
        bucket.filled = now
        return bucket
