"""The planner is compiled before anybody waits for it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from dispatcher.records.executors import COMPILING, InlineExecutor, warm_up


def test_whoever_waits_for_the_compiler_is_told_so() -> None:
    words: list[str] = []
    told = Event()

    def tell(word: str) -> None:
        words.append(word)
        told.set()

    with ThreadPoolExecutor(1) as busy:
        busy.submit(told.wait, 10)
        warm_up(tell, busy, patience_s=0.01)
    assert words == [COMPILING]


def test_what_is_compiled_already_is_not_worth_a_word() -> None:
    words: list[str] = []
    warm_up(words.append, InlineExecutor(), patience_s=60)
    assert words == []
