"""Groups of vehicles that only say how many: ids and homes for them, found on the site."""

from collections.abc import Mapping
from typing import TypeVar

from fleet.config import FleetConfig, VehicleGroup
from fleet.vehicle import Medium
from routing.errors import Fault
from routing.site import PlaceId, Site
from routing.sites.marked_yaml import Marked
from sim.scenario.homes import AT_MOST, Berth, find_berths, shared_out

File = TypeVar("File", bound=FleetConfig)


def place_groups(
    file: File, site: Site, text: Marked, faults: list[Fault]
) -> tuple[File, Mapping[str, str]]:
    """The file with ids and homes for all, and the kinds of those whose lanes ask for one.

    Args:
        faults: what is wrong is added here.
    """
    kinds: dict[str, str] = {}
    groups = list(file.vehicles)
    taken = [PlaceId(home) for group in groups for home in group.homes]
    for medium in Medium:
        numbers = [
            number
            for number, group in enumerate(groups)
            if group.count is not None
            and group.model in file.models
            and file.models[group.model].medium is medium
        ]
        if not numbers:
            continue
        models = [file.models[groups[number].model] for number in numbers]
        width_m = max(model.width_m for model in models)
        berths = find_berths(site, medium, width_m=width_m, taken=taken)
        shares = _shares([groups[number] for number in numbers], len(berths))
        for number, share in zip(numbers, shares, strict=True):
            group, given = groups[number], berths[:share]
            berths = berths[share:]
            if group.count != "auto" and len(given) < (group.count or 0):
                line = text.line("vehicles", number, "count")
                what = f"{group.count} of {group.model!r}, but room for {len(given)} more vehicles"
                remedy = "lower the count, or add parking places that no way leads through"
                faults.append(Fault(line, what, remedy))
            elif medium is Medium.GROUND and group.count == "auto" and not given:
                line = text.line("vehicles", number, "count")
                what = f"no home on this site for any {group.model!r}"
                remedy = "add a place with the role parking or charger at a dead end"
                faults.append(Fault(line, what, remedy))
            groups[number] = _named(group, given, groups)
            for id_, berth in zip(groups[number].ids, given, strict=True):
                if berth.kind is not None:
                    kinds[id_] = berth.kind
    return file.model_copy(update={"vehicles": groups}), kinds


def _shares(groups: list[VehicleGroup], room: int) -> list[int]:
    """How many each group gets: those with a number first, the rest shares what is left."""
    fixed = sum(group.count for group in groups if isinstance(group.count, int))
    automatic = sum(group.count == "auto" for group in groups)
    left = min(AT_MOST, max(0, room - fixed))
    parts = iter(shared_out(left, automatic) if automatic else [])
    return [group.count if isinstance(group.count, int) else next(parts) for group in groups]


def _named(group: VehicleGroup, berths: list[Berth], groups: list[VehicleGroup]) -> VehicleGroup:
    taken = {id_ for other in groups for id_ in other.ids}
    stem = group.model[:1].upper()
    free = (f"{stem}{n}" for n in range(1, 10_000) if f"{stem}{n}" not in taken)
    return group.model_copy(
        update={
            "ids": [next(free) for _ in berths],
            "homes": [berth.home for berth in berths],
            "count": None if berths else 0,
        }
    )
