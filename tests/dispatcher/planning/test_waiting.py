"""Which place is worth waiting at, and whose it is."""

from pathlib import Path

import pytest

from dispatcher.domain.stops import Handling
from dispatcher.domain.task import Delivery, Goods
from dispatcher.planning.forecast import Expected, Forecast, sort_of
from dispatcher.planning.waiting import LOOK_S, WaitingPlaces, spare_places
from dispatcher.traffic.roadbook import RoadBook
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import NodeId, PlaceId
from sim.scenario.config import load_scenario
from tests.dispatcher.ward import START
from tests.sim.stories.test_waiting import UPSTAIRS, with_bay_upstairs


def food_at(place: str, per_hour: float) -> Expected:
    spec = Delivery(
        item="box",
        goods=Goods.FOOD,
        origin=PlaceId(place),
        drop_offs=(PlaceId("laboratory"),),
        mass_g=100,
    )
    return Expected(place=PlaceId(place), sort=sort_of(spec), like=spec, per_hour=per_hour)


class Foreseen(Forecast):
    """What a test says is to come."""

    def __init__(self) -> None:
        super().__init__(Clock(START, 0.0), Handling())
        self.all: list[Expected] = []

    def expected(self) -> list[Expected]:
        """It."""
        return self.all


class Yard:
    """Carts at home, one bay to spare upstairs."""

    def __init__(self, folder: Path, homes: tuple[str, ...] = ("park-1", "park-2")) -> None:
        scenario = load_scenario(with_bay_upstairs(folder, homes=homes))
        self.site = scenario.site
        self.specs = [vehicle.to_spec() for vehicle in scenario.vehicles]
        self.stands = {spec.id: self.site.places[spec.home].node for spec in self.specs}
        self.tasks: set[NodeId] = set()
        self.forecast = Foreseen()
        roads = RoadBook(self.site)
        for spec in self.specs:
            roads.keep_free(self.site.places[spec.home].node)
        self.places = WaitingPlaces(
            self.site,
            roads,
            self.forecast,
            self.specs,
            stand=lambda vehicle: self.stands[vehicle],
            needed=lambda node: node in self.tasks,
        )

    def post(self, number: int, now_s: float = 0.0) -> str:
        return self.places.post(self.specs[number - 1], now_s)


@pytest.mark.parametrize(
    ("per_hour", "post"), [(0.0, "park-1"), (0.1, "park-1"), (1.0, "park-1"), (6.0, UPSTAIRS)]
)
def test_it_moves_only_if_that_pays(tmp_path: Path, per_hour: float, post: str) -> None:
    yard = Yard(tmp_path)
    yard.forecast.all = [food_at("ward", per_hour)]
    assert yard.post(1) == post


def test_one_upstairs_is_enough_and_the_place_is_its_own(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.forecast.all = [food_at("ward", 60.0)]
    assert (yard.post(1), yard.post(2)) == (UPSTAIRS, "park-2")
    yard.places.leave(VehicleId("C1"))
    assert yard.post(2, LOOK_S) == UPSTAIRS
    assert yard.post(1, LOOK_S) == "park-1"


def test_what_is_wanted_at_home_too_keeps_it_there(tmp_path: Path) -> None:
    yard = Yard(tmp_path, ("park-3",))
    yard.forecast.all = [food_at("pharmacy", 12.0), food_at("ward", 6.0)]
    assert yard.post(1) == "park-3"
    yard.forecast.all = [food_at("pharmacy", 2.0), food_at("ward", 6.0)]
    assert yard.post(1, LOOK_S) == UPSTAIRS


def test_where_a_former_process_sent_it_is_its_own(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.forecast.all = [food_at("ward", 6.0)]
    yard.places.keep(VehicleId("C2"), NodeId(UPSTAIRS))
    yard.places.keep(VehicleId("C1"), NodeId("park-1"))
    assert (yard.post(1), yard.post(2)) == ("park-1", UPSTAIRS)


def test_it_stays_where_it_waits_until_it_is_looked_again(tmp_path: Path) -> None:
    yard = Yard(tmp_path, ("park-3",))
    yard.forecast.all = [food_at("ward", 6.0)]
    assert yard.post(1) == UPSTAIRS
    yard.stands[VehicleId("C1")] = NodeId(UPSTAIRS)
    yard.forecast.all = [food_at("pharmacy", 6.0)]
    assert yard.post(1, LOOK_S - 1) == UPSTAIRS
    assert yard.post(1, LOOK_S) == "park-3"


def test_little_more_is_not_worth_a_move(tmp_path: Path) -> None:
    yard = Yard(tmp_path, ("park-3",))
    yard.forecast.all = [food_at("ward", 6.0)]
    assert yard.post(1) == UPSTAIRS
    yard.stands[VehicleId("C1")] = NodeId(UPSTAIRS)
    yard.forecast.all = [food_at("ward", 2.0), food_at("pharmacy", 2.3)]
    assert yard.post(1, LOOK_S) == UPSTAIRS


def test_a_place_to_which_a_task_leads_or_where_somebody_stands_is_none(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    yard.forecast.all = [food_at("ward", 6.0)]
    yard.stands[VehicleId("C2")] = NodeId(UPSTAIRS)
    assert yard.post(1) == "park-1"
    yard.stands[VehicleId("C2")] = NodeId("park-2")
    assert yard.post(1, LOOK_S) == UPSTAIRS
    yard.tasks = {NodeId(UPSTAIRS)}
    assert yard.post(1, LOOK_S + 1) == "park-1"
    assert yard.post(1, 2 * LOOK_S) == "park-1"


def test_homes_places_that_ways_lead_through_and_pads_are_not_to_spare(tmp_path: Path) -> None:
    scenario = load_scenario(with_bay_upstairs(tmp_path, homes=("park-1",)))
    specs = [vehicle.to_spec() for vehicle in scenario.vehicles]
    spare = [place.id for place in spare_places(scenario.site, specs)]
    assert spare == ["park-2", "park-3", UPSTAIRS]
    away = load_scenario(with_bay_upstairs(tmp_path, homes=("park-3",)))
    specs = [vehicle.to_spec() for vehicle in away.vehicles]
    spare = [place.id for place in spare_places(away.site, specs)]
    assert spare == [UPSTAIRS], "chargers are needed by one that has none at home"
