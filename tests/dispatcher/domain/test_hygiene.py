"""What may be carried after what: a table that people can check line by line."""

import pytest

from dispatcher.domain.hygiene import Hygiene, may_follow, may_share
from dispatcher.domain.task import Goods
from fleet.vehicle import VehicleId

C1, C2 = VehicleId("C1"), VehicleId("C2")


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (Goods.FOOD, Goods.FOOD, True),
        (Goods.STERILE, Goods.MEDICINE, True),
        (Goods.CLEAN_LINEN, Goods.DIRTY_LINEN, True),
        (Goods.DIRTY_LINEN, Goods.DIRTY_LINEN, True),
        (Goods.DIRTY_LINEN, Goods.CLEAN_LINEN, False),
        (Goods.DIRTY_LINEN, Goods.WASTE, False),
        (Goods.WASTE, Goods.FOOD, False),
        (Goods.INFECTIOUS_WASTE, Goods.STERILE, False),
        (Goods.SPECIMEN, Goods.FOOD, False),
        (Goods.SPECIMEN, Goods.SPECIMEN, True),
    ],
)
def test_what_may_follow_without_decontamination(
    before: Goods, after: Goods, allowed: bool
) -> None:
    assert may_follow(before, after) is allowed


def test_sharing_is_for_one_class_or_for_what_is_clean_and_dry() -> None:
    assert may_share(Goods.STERILE, Goods.MEDICINE)
    assert may_share(Goods.FOOD, Goods.FOOD)
    assert not may_share(Goods.FOOD, Goods.MEDICINE)
    assert all(may_share(one, two) == may_share(two, one) for one in Goods for two in Goods)


def test_dirt_stays_until_it_is_washed_off() -> None:
    hygiene = Hygiene()
    assert hygiene.carried(C1, Goods.WASTE)
    assert not hygiene.carried(C1, Goods.WASTE)
    assert hygiene.must_wash(C1, Goods.FOOD)
    assert not hygiene.must_wash(C2, Goods.FOOD)
    assert hygiene.washed(C1)
    assert not hygiene.washed(C1)
    assert not hygiene.must_wash(C1, Goods.FOOD)
