"""One lift asked for several who ride together: where it goes next, and in whose name."""

from fleet.lift_words import LiftRequest, LiftState
from fleet.shared_lift import SharedLift
from routing.site import LevelId, LiftId

L1, L2, L3 = LevelId("L1"), LevelId("L2"), LevelId("L3")


def lift() -> SharedLift:
    return SharedLift(LiftId("lift"), {L1: 0.0, L2: 4.0, L3: 8.0})


def stands(lift: SharedLift, level: LevelId, session: str | None) -> None:
    """It has obeyed: it stands open there."""
    lift.hear(LiftState(level=level, open=True, session=session))


def goes_to(lift: SharedLift) -> list[LiftRequest]:
    return lift.requests()


def asked(session: str, level: LevelId | None) -> LiftRequest:
    return LiftRequest(session=session, level=level)


def test_it_stays_until_all_who_want_it_there_are_on_board() -> None:
    one = lift()
    one.want("C1", L1)
    one.requests()
    stands(one, L1, "C1")
    one.want("C1", L3)
    one.want("C2", L1)
    assert one.requests() == []
    assert one.ready("C2")
    assert not one.ready("C1")
    one.want("C2", None)
    assert one.requests() == [asked("C1", L3)]
    assert not one.ready("C2")


def test_on_its_way_up_it_stops_where_somebody_wants_it_and_then_turns() -> None:
    one = lift()
    one.want("C1", L1)
    one.requests()
    stands(one, L1, "C1")
    one.want("C1", L3)
    one.want("C2", L2)
    assert one.requests() == [asked("C1", L2)], "it is on the way"
    stands(one, L2, "C1")
    one.want("C2", L1)
    assert one.requests() == [asked("C1", L3)], "not back before it is up"
    stands(one, L3, "C1")
    one.release("C1")
    assert one.requests() == [asked("C1", L1)], "still in the name of the first"


def test_who_is_on_board_and_wants_nothing_keeps_it_from_people() -> None:
    one = lift()
    one.want("C1", L2)
    one.requests()
    stands(one, L2, "C1")
    one.want("C1", None)
    assert one.requests() == []
    one.release("C1")
    assert one.requests() == [asked("C1", None)]
    stands(one, L2, None)
    assert one.requests() == []


def test_a_new_process_goes_on_in_the_name_in_which_the_former_one_asked() -> None:
    one = lift()
    one.want("C2", None)
    one.want("C1", L3)
    stands(one, L1, "C1")
    assert one.requests() == [asked("C1", L3)]


def test_after_a_restart_it_is_held_for_who_is_inside() -> None:
    one = lift()
    one.release("C1")
    one.want("C2", None)
    stands(one, L2, "C1")
    assert one.requests() == [asked("C1", None), asked("C2", L2)]
