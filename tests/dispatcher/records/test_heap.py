import gc

from dispatcher.records.heap import NEW, OLD, YOUNG, settled


def test_what_is_there_at_the_start_is_not_looked_through_and_all_is_as_before_afterwards() -> None:
    before, seen = gc.get_threshold(), list[int]()

    def count(phase: str, _: dict[str, int]) -> None:
        seen.append(len(gc.get_objects()) if phase == "start" else 0)

    there = len(gc.get_objects())
    with settled():
        gc.callbacks.append(count)
        gc.collect()
        gc.callbacks.remove(count)
        assert gc.get_threshold() == (NEW, YOUNG, OLD)
    assert max(seen) < there / 10, "a collection looks at what came since"
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
