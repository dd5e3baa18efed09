"""Runs one function over many arguments in processes of their own; where a process dies, only what it worked on is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(function: Callable[[A], R], arguments: Iterable[A], *, jobs: int, died: Callable[[A], R]) -> Iterator[tuple[int, R]]:
    """The results of `function`, as they come, each with the position of its argument.

    Args:
        function: Picklable where `jobs` is above 1; what it raises ends everything.
        arguments: Picklable likewise.
        jobs: Processes; with one the work is done here.
        died: The result for an argument whose process ended without one.
    """
    todo = dict(enumerate(arguments))
    if jobs == 1:
        for position, argument in todo.items():
            yield position, function(argument)
        return
    for position, result in _once(function, dict(todo), jobs):
        del todo[position]
        yield position, result
    # One of these has killed the pool. Each again, in a process that it can kill alone.
    for position, argument in todo.items():
        found = list(_once(function, {position: argument}, 1))
        yield found[0] if found else (position, died(argument))


def _once(function: Callable[[A], R], todo: dict[int, A], jobs: int) -> Iterator[tuple[int, R]]:
    """What comes of one pool; less than everything if a process of it dies."""
    others = {one.pid for one in multiprocessing.active_children()}
    # Not forked: a copy of a process with threads may hang.
    with ProcessPoolExecutor(min(jobs, len(todo)), mp_context=multiprocessing.get_context("spawn")) as pool:
        positions: dict[Future[R], int] = {}
        try:
            with suppress(BrokenProcessPool), _interrupts_held_back():
                for position, argument in todo.items():
                    positions[pool.submit(function, argument)] = position
            for future in as_completed(positions):
                if not isinstance(future.exception(), BrokenProcessPool):
                    yield positions[future], future.result()
        except BaseException:
            # Whoever interrupts does not wait for a file of many gigabytes to be read to its end.
            for process in multiprocessing.active_children():
                if process.pid not in others:
                    process.terminate()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Processes that are started meanwhile never see an interrupt of the terminal, which is this process' business; it gets its own afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
