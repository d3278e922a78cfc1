"""One scan under way: makes calls within their limits, tries again what may succeed later, keeps every page.

A collector gives it a Call and a function that makes one request. Knows no cloud and no SDK.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Any

from lint.live.calls import CUT, DENIED, ERROR, OK, THROTTLED, Answer, Call, Fault, LiveError, Page, Stopped, Turn
from lint.live.limits import Limiter
from lint.live.options import LiveOptions
from lint.live.progress import Progress, many, progress_for
from lint.live.store import Store, remove

MOST_PAGES = 100_000  # of one call; more is a service that never ends


class Collection:
    """The calls of one scan. A context manager: leaving it lets go of the file, and Ctrl-C inside it becomes Stopped.

    `plan` is JSON that says what is scanned (cloud, source, accounts, regions, what is redacted): a scan is resumed
    only with the same plan. `clean` takes a body before it is kept and gives it without what must never be stored.
    """

    def __init__(
        self,
        path: Path,
        plan: Mapping[str, Any],
        options: LiveOptions,
        clean: Callable[[Any], Any] | None = None,
    ) -> None:
        self.options = options
        self.store = Store(path, plan, resume=options.resume)
        self.stop = threading.Event()
        self.limiter = Limiter(options.rate, options.burst, self.stop)
        noun = "subscription" if str(plan.get("source")).startswith("azure:") else "account"
        self.progress: Progress = progress_for(options.progress, noun)
        self._clean = clean or (lambda body: body)

    def __enter__(self) -> Collection:
        self.progress.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.progress.__exit__(kind, error, _)
        if error is None:
            return
        self.stop.set()
        path = self.store.path
        made, finished = sum(self.store.counts().values()), len(self.store.calls())
        kept = self.store.holds_anything()
        self.store.close()
        if not kept:
            remove(path)
        resume = "the same command with --resume goes on from there"
        if isinstance(error, KeyboardInterrupt):
            if not kept:
                raise Stopped("stopped before anything was read; nothing is kept") from error
            calls = f"{many(finished, 'call')} ({many(made, 'request')}) {'is' if finished == 1 else 'are'} complete"
            raise Stopped(f"stopped: {calls} and kept in {path}; {resume}") from error
        if isinstance(error, LiveError) and kept:
            raise type(error)(f"{error}; what was read until then is kept in {path}: {resume}") from error

    # Calls

    def gather(self, call: Call, turn: Turn) -> Answer:
        """All pages of a call: those that are kept already, and the rest by requests. Never raises Fault.

        A call that fails on its way keeps the pages that arrived, for --resume; its answer says that it isn't whole.
        """
        known = self.store.outcome(call)
        if known is not None:
            pages = tuple(page.body for page in self.store.pages(call)) if known[0] == OK else ()
            return Answer(call, known[0], known[1], pages)
        self.progress.begin(call)
        try:
            self._fetch(call, turn)
        except Fault as fault:
            self.store.finish(call, fault.status, fault.error)
            self.progress.end(call, fault.status)
            return Answer(call, fault.status, fault.error)
        self.store.finish(call, OK)
        self.progress.end(call, OK)
        return Answer(call, OK, "", tuple(page.body for page in self.store.pages(call)))

    def fail(self, call: Call, status: str, error: str) -> Answer:
        """Put down a call as failed without making it, because something that it depends on failed."""
        known = self.store.outcome(call)
        if known is None:
            self.store.finish(call, status, error)
        return Answer(call, status, error)

    def perform(self, call: Call, turn: Turn) -> Page:
        """One request within the limits, tried again where that may help.

        Its answer isn't kept, since it may hold credentials. Raises Fault.
        """
        return self._request(call, turn, None)

    def _fetch(self, call: Call, turn: Turn) -> None:
        held = self.store.pages(call)
        token = held[-1].next if held else None
        if held and token is None:
            return
        seen = {page.next for page in held}
        number = len(held)
        fresh = not held
        while number < MOST_PAGES:
            try:
                page = self._request(call, turn, token)
            except Fault as fault:
                if not fault.restart or fresh:
                    raise
                # A kept token has expired: what was collected of this call can't be continued.
                self.store.forget(call)
                token, number, seen, fresh = None, 0, set(), True
                continue
            self.store.add(call, number, Page(self._clean(page.body), page.next))
            if page.next is None:
                return
            if page.next in seen:
                raise Fault(ERROR, "the service gives the same page again and again")
            seen.add(page.next)
            token = page.next
            number += 1
        raise Fault(ERROR, f"more than {MOST_PAGES} pages")

    def _request(self, call: Call, turn: Turn, token: str | None) -> Page:
        key = (call.scope, call.region, call.operation)
        attempt, polls, waited = 0, 0, 0.0
        while True:
            self._check()
            self.limiter.wait(key)
            self._check()
            attempt += 1
            self.store.count(call.operation)
            try:
                page = turn(token)
            except Fault as fault:
                if fault.pending:
                    attempt, polls = attempt - 1, polls + 1
                    pause = max(fault.after or 0.0, min(self.options.backoff * polls, self.options.longest_wait))
                    waited += pause
                    if waited > 10 * self.options.longest_wait:
                        raise
                    self.stop.wait(pause)
                    continue
                if fault.status == THROTTLED:
                    self.limiter.slower(key)
                most = min(self.options.attempts, fault.attempts or self.options.attempts)
                if not fault.again or attempt >= most:
                    raise
                self.stop.wait(self._pause(attempt, fault.after))
                continue
            self.limiter.succeeded(key)
            return page

    def _pause(self, attempt: int, after: float | None) -> float:
        """Seconds before the next attempt: doubled each time with jitter, and never less than the service asks for."""
        ceiling = min(self.options.backoff * 2.0 ** (attempt - 1), self.options.longest_wait)
        drawn = ceiling * (0.5 + random.random() / 2)
        return float(max(drawn, min(after or 0.0, 10 * self.options.longest_wait)))

    def _check(self) -> None:
        if self.stop.is_set():
            raise Stopped("stopped")

    # Many at once

    def together(self, jobs: Iterable[Callable[[], Any]], most: int) -> list[Any]:
        """Run jobs in at most `most` threads and give their results in order. The first exception ends them all."""
        waiting = list(jobs)
        if not waiting:
            return []
        if len(waiting) == 1 or most <= 1:
            return [job() for job in waiting]
        pool = ThreadPoolExecutor(max_workers=min(most, len(waiting)))
        futures: list[Future[Any]] = [pool.submit(job) for job in waiting]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(f.done() and not f.cancelled() and f.exception() is not None for f in futures):
                self.stop.set()
                for future in futures:
                    future.cancel()
                wait(futures)
                raised = [e for f in futures if not f.cancelled() and (e := f.exception()) is not None]
                # What stopped the others, not that they were stopped.
                raise next((e for e in raised if not isinstance(e, Stopped)), raised[0])
            return [future.result() for future in futures]
        except BaseException:
            self.stop.set()
            for future in futures:
                future.cancel()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def must(answer: Answer, what: str, remedy: str) -> Answer:
    """The answer where it is whole; LiveError where it isn't, since nothing can be said without it."""
    if answer.ok:
        return answer
    why = {DENIED: "is denied", THROTTLED: "is throttled", CUT: "broke off"}.get(
        answer.status, f"failed ({answer.status})"
    )
    raise LiveError(f"{what} {why}: {answer.call.operation} in {answer.call.where()}: {answer.error}; {remedy}")
