"""Who may do a task, and every reason why not."""

from collections.abc import Iterable

from dispatcher.domain.task import Delivery, Disinfection, Medicine, Patrol, Spec
from fleet.vehicle import Medium, VehicleSpec
from routing.refusal import Refusal


def why_not(spec: Spec, vehicle: VehicleSpec) -> list[Refusal]:
    """Every lasting reason why a vehicle could never do a task; empty = it could.

    What passes (no charge, out of service, wrong place) is not asked here.
    """
    match spec:
        case Delivery():
            return [
                *_lacks(vehicle, "carry"),
                *_too_much(vehicle, spec.goods, spec.mass_g, spec.volume_ml),
                *_must_be(vehicle, spec.by or vehicle.medium),
            ]
        case Medicine():
            return [
                *_lacks(vehicle, "carry"),
                *_lacks(vehicle, "lock"),
                *_too_much(vehicle, "medicine", spec.mass_g, spec.volume_ml),
                *_must_be(vehicle, spec.by or vehicle.medium),
            ]
        case Patrol():
            return _lacks(vehicle, "camera") + _must_be(vehicle, spec.medium)
        case Disinfection():
            return _lacks(vehicle, spec.method.value)


def nearest_miss(reasons: Iterable[list[Refusal]]) -> list[Refusal]:
    """The shortest list of reasons: those of the vehicle that came nearest to doing it."""
    return min(reasons, key=len, default=[Refusal("no_vehicles")])


def _lacks(vehicle: VehicleSpec, skill: str) -> list[Refusal]:
    return [] if skill in vehicle.skills else [Refusal("lacks_skill", {"skill": skill})]


def _must_be(vehicle: VehicleSpec, medium: Medium) -> list[Refusal]:
    if vehicle.medium is medium:
        return []
    return [Refusal("wrong_medium", {"asked": medium.value})]


def _too_much(vehicle: VehicleSpec, goods: str, mass_g: int, volume_ml: int) -> list[Refusal]:
    found: list[Refusal] = []
    if goods not in vehicle.load_types:
        found.append(Refusal("goods_not_allowed", {"goods": str(goods)}))
    if mass_g > vehicle.payload_g:
        limit_kg = vehicle.payload_g / 1000
        found.append(Refusal("over_payload", {"mass_kg": mass_g / 1000, "limit_kg": limit_kg}))
    if volume_ml > vehicle.payload_ml:
        limit_l = vehicle.payload_ml / 1000
        found.append(Refusal("over_volume", {"volume_l": volume_ml / 1000, "limit_l": limit_l}))
    return found
