"""A pool that does tasks, each of which tells what it sees and returns the tasks that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from harness.toolchain.process import Launcher

Told = TypeVar("Told")


class Task(Protocol[Told]):
    """Some work. It tells each observation as it is made, and returns the work that follows."""

    def __call__(self, tell: Callable[[Told], None], /) -> Sequence[Task[Told]]: ...


class _Said(Generic[Told]):
    """What a task told, as it stands in the queue."""

    def __init__(self, told: Told) -> None:
        self.told = told


def run_tasks(launcher: Launcher, tasks: Sequence[Task[Told]], workers: int) -> Iterator[Told]:
    """Do the tasks and all that follow from them, and yield what they tell.

    launcher: starts the processes of all of them; cancelled where somebody has had enough.
    """
    pool = ThreadPoolExecutor(workers)
    events: SimpleQueue[_Said[Told] | Future[Sequence[Task[Told]]]] = SimpleQueue()
    waiting = tasks
    running = 0
    try:
        while waiting or running:
            for task in waiting:
                future = pool.submit(task, lambda told: events.put(_Said(told)))
                future.add_done_callback(events.put)
            running += len(waiting)
            waiting = ()
            event = events.get()
            if isinstance(event, _Said):
                yield event.told
            else:
                # It comes after all that it has told.
                running -= 1
                waiting = event.result()
    except BaseException:
        # Ctrl-C, or whoever iterates has had enough: what still runs is ended.
        launcher.cancel()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
