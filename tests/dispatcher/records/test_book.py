"""What is written down, in which order, and who is told when."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.domain.task import Task, TaskState
from dispatcher.errors import KeyTaken
from dispatcher.records.book import TaskBook
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.feed import Hub
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from fleet.clock import Clock
from tests.dispatcher.records.test_store import START, task


class SlowDisk(Executor):
    """Does what it is given at once, and when slow only once a test lets it, or fails at it."""

    def __init__(self) -> None:
        self.slow = False
        self.work: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it, or keep it for later."""
        if not self.slow:
            return InlineExecutor().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        self.work.append((future, lambda: fn(*args, **kwargs)))
        return future

    async def turn(self, fault: Exception | None = None) -> None:
        """Do what was given so far, or fail at it; what follows from that is seen to."""
        given, self.work = self.work, []
        for future, do in given:
            if fault is None:
                future.set_result(do())
            else:
                future.set_exception(fault)
        for _ in range(5):
            await asyncio.sleep(0)


async def a_book() -> tuple[TaskBook, SlowDisk, list[tuple[str, str]]]:
    """A book with one task, and what its listener is told from then on."""
    clock, disk = Clock.starting(START), SlowDisk()
    store = await Store.open("sqlite://", clock, disk)
    book, told = TaskBook(store, Journal(clock), clock, Hub()), list[tuple[str, str]]()
    await book.accept([task(1)])
    disk.slow = True
    book.on_move(lambda moved: told.append((moved.id, moved.state.value)))
    return book, disk, told


def assigned(book: TaskBook, vehicle: str) -> Task:
    return book.move(task(1).id, TaskState.ASSIGNED, vehicle=vehicle)


async def test_who_waits_for_a_later_decision_has_the_posted_one_on_disk_too() -> None:
    book, disk, told = await a_book()
    book.post(tasks=[assigned(book, "C1")])
    assert told == [("T-000001", "assigned")], "people are told at once"
    later = asyncio.create_task(
        book.commit(tasks=[book.move(task(1).id, TaskState.UNDERWAY)], events=[])
    )
    await asyncio.sleep(0)
    assert len(disk.work) == 1, "both go to the disk together"
    assert len(told) == 1, "who is to wait is told nothing before it is there"
    await disk.turn()
    assert told[1:] == [("T-000001", "underway")]
    assert later.done()


async def test_what_nothing_follows_from_is_written_all_the_same() -> None:
    book, disk, _ = await a_book()
    written = book.post(tasks=[assigned(book, "C1")])
    for _ in range(4):
        await asyncio.sleep(0)
    await disk.turn()
    assert written.done()


async def test_what_can_not_be_written_ends_the_program_even_if_nobody_waits_for_it() -> None:
    book, disk, _ = await a_book()
    running = asyncio.create_task(book.run())
    book.post(tasks=[assigned(book, "C1")])
    for _ in range(4):
        await asyncio.sleep(0)
    assert not running.done()
    await disk.turn(OSError("disk full"))
    with pytest.raises(OSError, match="disk full"):
        await running


async def test_a_new_task_goes_to_the_disk_together_with_what_is_planned_for_it() -> None:
    book, disk, told = await a_book()
    accepted = asyncio.create_task(book.accept([task(2)]))
    await asyncio.sleep(0)
    assert told == [("T-000002", "queued")], "it is planned at once"
    book.post(tasks=[book.move(task(2).id, TaskState.ASSIGNED, vehicle="C1")])
    begun = asyncio.create_task(book.commit(tasks=[book.move(task(2).id, TaskState.UNDERWAY)]))
    await asyncio.sleep(0)
    assert len(disk.work) == 1
    assert not accepted.done(), "its caller hears of it once it is on disk"
    await disk.turn()
    assert accepted.done()
    assert begun.done()
    await asyncio.sleep(0)
    assert disk.work == [], "all in one transaction"


async def test_a_new_task_that_nobody_has_time_for_is_written_all_the_same() -> None:
    book, disk, _ = await a_book()
    accepted = asyncio.create_task(book.accept([task(2)]))
    for _ in range(5):
        await asyncio.sleep(0)
    await disk.turn()
    assert accepted.done()


async def test_a_key_that_a_task_in_memory_has_is_refused_before_anything_is_planned() -> None:
    book, disk, told = await a_book()
    first = asyncio.create_task(book.accept([replace(task(2), key="k")]))
    await asyncio.sleep(0)
    with pytest.raises(KeyTaken, match="'k'"):
        await book.accept([task(3), replace(task(4), key="k")])
    assert book.find(task(3).id) is None, "all of them, or none"
    assert told == [("T-000002", "queued")]
    for _ in range(5):
        await asyncio.sleep(0)
    await disk.turn()
    await first


async def test_nothing_to_write_is_written_at_once() -> None:
    book, disk, _ = await a_book()
    assert book.post().done()
    assert disk.work == []
