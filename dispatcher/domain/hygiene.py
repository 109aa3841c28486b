"""Which goods may follow one another in a vehicle, and what each vehicle has been exposed to.

The zones of the building are obeyed by the roads themselves (`routing.roads.paths`); this is about
what was carried. The default table follows CDC's 2003 guideline for environmental infection control
(laundry and medical waste) and HTM 01-04: clean goods never after dirty ones without
decontamination, and never two classes at a time unless both are clean and dry.
"""

from collections.abc import Iterable

from dispatcher.domain.task import Delivery, Goods, Medicine, Spec
from fleet.vehicle import VehicleId

DIRTY = frozenset({Goods.DIRTY_LINEN, Goods.WASTE, Goods.INFECTIOUS_WASTE})
DRY = frozenset({Goods.STERILE, Goods.MEDICINE, Goods.GENERAL})

SHARING = frozenset({Goods.FOOD, Goods.MEDICINE})
"""Classes of which a vehicle takes several tasks at once."""


def may_follow(before: Goods, after: Goods) -> bool:
    """Whether ``after`` may be carried where ``before`` was, without decontamination between."""
    if before in DIRTY:
        return after is before
    return before is not Goods.SPECIMEN or after is not Goods.FOOD


def may_share(one: Goods, other: Goods) -> bool:
    """Whether two classes may ride together."""
    return one is other or (one in DRY and other in DRY)


def goods_of(spec: Spec) -> Goods | None:
    """The class of what a task carries; None = it carries nothing."""
    match spec:
        case Delivery(goods=goods):
            return goods
        case Medicine():
            return Goods.MEDICINE
        case _:
            return None


class Hygiene:
    """What each vehicle has carried since it was last decontaminated."""

    def __init__(self) -> None:
        self._carried: dict[VehicleId, list[Goods]] = {}

    def must_wash(self, vehicle: VehicleId, goods: Goods) -> bool:
        """Whether a vehicle must be decontaminated before it takes ``goods`` on board."""
        return not all(may_follow(before, goods) for before in self._carried.get(vehicle, ()))

    def carried_by(self, vehicle: VehicleId) -> tuple[Goods, ...]:
        """The classes that a vehicle has carried since it was last decontaminated."""
        return tuple(self._carried.get(vehicle, ()))

    def may_join(self, aboard: Iterable[Goods], goods: Goods) -> bool:
        """Whether ``goods`` may ride with all that is on board."""
        return all(may_share(one, goods) for one in aboard)

    def carried(self, vehicle: VehicleId, goods: Goods) -> bool:
        """Goods have come on board; True = a class it had not carried since."""
        carried = self._carried.setdefault(vehicle, [])
        if goods in carried:
            return False
        carried.append(goods)
        return True

    def washed(self, vehicle: VehicleId) -> bool:
        """A vehicle has been decontaminated; True = of something it had carried."""
        return self._carried.pop(vehicle, None) is not None
