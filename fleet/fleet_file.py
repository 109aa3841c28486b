"""From groups of vehicles in a file to each `VehicleConfig`, with every fault and its line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count

from pydantic import ValidationError

from fleet.config import FleetConfig, LinkConfig, ModelConfig, VehicleConfig, VehicleGroup
from fleet.heights import height_faults
from fleet.passing import passing_faults
from fleet.vehicle import Integration, Medium
from routing.errors import Fault
from routing.site import PlaceId, Role, Site
from routing.sites.file import shape_faults
from routing.sites.marked_yaml import Marked, Step

PathTo = tuple[Step, ...]

_PER_VEHICLE = (
    "homes",
    "names",
    "docks",
    "serials",
    "system_ids",
    "namespaces",
    "domain_ids",
    "cruise_agl_m",
)
"""What has one entry for each id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One vehicle, and where in its file it stands."""

    config: VehicleConfig
    group: int
    """Which entry of ``vehicles:`` it belongs to."""
    index: int
    """Which one of that entry it is."""

    def path(self, key: str) -> PathTo:
        """Where in the file its ``ids`` or ``homes`` entry stands."""
        return ("vehicles", self.group, key, self.index)


def declare(
    file: FleetConfig, text: Marked, *, reference: str
) -> tuple[tuple[Declared, ...], list[Fault]]:
    """All vehicles of a file, each with its model's values and its own wire.

    Args:
        reference: where the file's format is described.
    """
    faults: list[Fault] = []
    found: list[Declared] = []
    taken = {n for group in file.vehicles for n in group.system_ids or ()}
    free = (number for number in count(1) if number not in taken)
    for number, group in enumerate(file.vehicles):
        if group.count == 0:
            continue
        model = file.models.get(group.model)
        at = ("vehicles", number)
        if model is None:
            line = text.line(*at, "model")
            faults.append(unknown(line, "model", group.model, file.models))
            continue
        wrong = _uneven(group, at, text)
        if wrong:
            faults += wrong
            continue
        for index, id_ in enumerate(group.ids):
            try:
                link = _link(model, group, index, id_, free)
            except ValidationError as error:
                where = ("models", group.model, "link")
                faults += shape_faults(error, LinkConfig, text, at=where, reference=reference)
                break
            found.append(
                Declared(config=_vehicle(model, group, index, id_, link), group=number, index=index)
            )
    return tuple(found), faults


def fleet_faults(declared: Sequence[Declared], site: Site, text: Marked) -> list[Fault]:
    """What is wrong with the vehicles among themselves, and on this site."""
    faults = _shared_ids(declared, text)
    home_of: dict[str, str] = {}
    for one in declared:
        config, line = one.config, text.line(*one.path("homes"))
        place = site.places.get(PlaceId(config.home))
        if place is None:
            faults.append(unknown(line, "place", config.home, site.places))
            continue
        if config.home in home_of:
            what = f"{config.id} has the home {config.home!r}, which {home_of[config.home]} has too"
            faults.append(Fault(line, what, "give each vehicle a home of its own"))
        home_of.setdefault(config.home, config.id)
        wanted = {Role.PAD} if config.medium is Medium.AIR else {Role.PARKING, Role.CHARGER}
        if not wanted & place.roles:
            what = f"{config.id} can't live at {config.home!r}: it is no {_either(wanted)}"
            fitting = [p.id for p in site.places.values() if wanted & p.roles]
            remedy = f"the site has {', '.join(fitting[:8])}" if fitting else "add one to the site"
            faults.append(Fault(line, what, remedy))
        if config.medium is Medium.AIR:
            faults += height_faults(config, site, text.line(*one.path("cruise_agl_m")))
        if config.medium is Medium.AIR and config.integration is Integration.RESPECTED:
            line = text.line("vehicles", one.group, "integration")
            what = f"{config.id} flies, and only vehicles on the ground can be respected"
            faults.append(Fault(line, what, "write noticed or used"))
        if config.medium is Medium.AIR and config.link.ros2 is not None:
            line = text.line("vehicles", one.group, "model")
            what = f"{config.id} flies but is reached by ROS 2, which is for robots on the ground"
            faults.append(Fault(line, what, "give its model a mavlink link"))
        if config.link.ros2 is not None and config.link.ros2.level not in site.levels:
            line = text.line("vehicles", one.group, "model")
            faults.append(unknown(line, "level", config.link.ros2.level, site.levels))
        if config.medium is Medium.GROUND and config.link.mavlink is not None:
            line = text.line("vehicles", one.group, "model")
            what = f"{config.id} drives on the ground but is reached by MAVLink"
            faults.append(Fault(line, what, "give its model a vda5050 link"))
    line = text.line("vehicles")
    return [*faults, *passing_faults([one.config for one in declared], site, line)]


def unknown(line: int, what: str, given: str, known: Iterable[str]) -> Fault:
    """A fault for a word that names nothing, with the nearest that does."""
    names = list(known)
    close = get_close_matches(given, names, n=1)
    listed = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    remedy = f"did you mean {close[0]!r}?" if close else f"known are {listed or 'none'}"
    return Fault(line, f"there is no {what} {given!r}", remedy)


def _uneven(group: VehicleGroup, at: PathTo, text: Marked) -> list[Fault]:
    if group.count is not None:
        what = f"count: {group.count} stands where vehicles need ids and homes"
        return [Fault(text.line(*at, "count"), what, "write ids: [...] and homes: [...]")]
    if not group.ids:
        remedy = "write ids: [C1, C2] and homes: [bay-1, bay-2]"
        return [Fault(text.line(*at), f"no ids for model {group.model!r}", remedy)]
    faults: list[Fault] = []
    for key in _PER_VEHICLE:
        values = getattr(group, key)
        if values is not None and len(values) != len(group.ids):
            what = f"{len(group.ids)} ids but {len(values)} {key}"
            faults.append(Fault(text.line(*at, key), what, f"give one of {key} for each id"))
    return faults


def _link(
    model: ModelConfig, group: VehicleGroup, index: int, id_: str, free: Iterable[int]
) -> LinkConfig:
    if model.link.vda5050 is not None:
        serial = group.serials[index] if group.serials else id_
        return LinkConfig.model_validate({"vda5050": {**model.link.vda5050, "serial": serial}})
    if model.link.ros2 is not None:
        own: dict[str, object] = {"namespace": f"/{id_}"}
        if group.namespaces:
            own["namespace"] = group.namespaces[index]
        if group.domain_ids:
            own["domain_id"] = group.domain_ids[index]
        return LinkConfig.model_validate({"ros2": {**model.link.ros2, **own}})
    number = group.system_ids[index] if group.system_ids else next(iter(free))
    return LinkConfig.model_validate(
        {"mavlink": {**(model.link.mavlink or {}), "system_id": number}}
    )


def _vehicle(
    model: ModelConfig, group: VehicleGroup, index: int, id_: str, link: LinkConfig
) -> VehicleConfig:
    body = {name: getattr(model, name) for name in type(model).model_fields if name != "link"}
    if group.cruise_agl_m:
        body["cruise_agl_m"] = group.cruise_agl_m[index]
    return VehicleConfig(
        **body,
        id=id_,
        name=group.names[index] if group.names else id_,
        home=group.homes[index],
        link=link,
        dock=group.docks[index] if group.docks else None,
        integration=group.integration,
    )


def _shared_ids(declared: Sequence[Declared], text: Marked) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[str] = set()
    wires: dict[str, str] = {}
    for one in declared:
        config, line = one.config, text.line(*one.path("ids"))
        if config.id in seen:
            remedy = "rename one of the two"
            faults.append(Fault(line, f"there are two vehicles {config.id!r}", remedy))
        seen.add(config.id)
        wire = _wire(config)
        if wire in wires and wires[wire] != config.id:
            what = f"{config.id} and {wires[wire]} have one wire, {wire}"
            faults.append(
                Fault(line, what, "give each its own serials, system_ids or namespaces entry")
            )
        wires.setdefault(wire, config.id)
    return faults


def _wire(config: VehicleConfig) -> str:
    if config.link.vda5050 is not None:
        return config.link.vda5050.topic("").rstrip("/")
    if config.link.ros2 is not None:
        where = config.link.ros2
        return f"ROS 2 domain {where.domain_id}, namespace {where.namespace or '/'}"
    return f"MAVLink system {config.link.mavlink.system_id if config.link.mavlink else 0}"


def _either(roles: Iterable[Role]) -> str:
    return " or ".join(sorted(role.value for role in roles))
