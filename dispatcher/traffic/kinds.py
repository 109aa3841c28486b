"""The rules of the road by the kind of vehicle."""

from functools import lru_cache

from fleet.vehicle import VehicleSpec
from routing.roads.paths import Rules

KINDS_KEPT = 256
"""Rules are asked for at every turn; those of so many kinds of vehicles are not made anew."""


def rules_of(spec: VehicleSpec) -> Rules:
    """The road rules of a vehicle."""
    return _rules(spec.speed_m_s, spec.width_m, spec.kind)


@lru_cache(KINDS_KEPT)
def _rules(speed_m_s: float, width_m: float, kind: str) -> Rules:
    return Rules(speed_m_s=speed_m_s, width_m=width_m, kind=kind)


@lru_cache(KINDS_KEPT)
def loaded(rules: Rules) -> Rules:
    """The same with goods on board: no decontamination on the way."""
    return rules._replace(decontamination=False)
