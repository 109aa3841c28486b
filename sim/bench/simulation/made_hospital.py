"""A hospital of any size, and a fleet that is busy in it: the world of ``bench simulation``.

Each floor is two corridors side by side, joined at both ends and in the middle, so that robots
can pass each other; wards lie along one, robots' bays along the other, lifts between them. Drones
stand in the yard and patrol it.
"""

from math import ceil
from typing import Any

BAYS, WARDS, COLUMNS = 12, 10, 13
"""On each floor; columns are nodes of one corridor."""
STEP_M = 5.0
PADS_A_ROW = 10
TASKS_PER_VEHICLE_H = 1.6
"""As in the scenario ``outbreak-day``."""
DRONE_SHARE = 0.2
LOWEST_M = 40.0
"""Height of the lowest of ten layers of air, 8 m apart."""

_SHARES = {
    "delivery": 0.55,
    "medicine": 0.2,
    "disinfection": 0.1,
    "patrol": 0.08,
    "flight": 0.07,
}
_GROUND_ENERGY = {
    "capacity_wh": 1200,
    "idle_w": 25,
    "move_w": 110,
    "work_w": 500,
    "charge_w": 900,
    "reserve_ratio": 0.15,
}
_AIR_ENERGY = {
    "capacity_wh": 360,
    "idle_w": 12,
    "move_w": 420,
    "climb_w": 620,
    "hover_w": 460,
    "charge_w": 500,
    "reserve_ratio": 0.25,
}


def drones_of(vehicles: int) -> int:
    """How many of so many vehicles fly."""
    return round(vehicles * DRONE_SHARE)


def made_site(vehicles: int) -> dict[str, Any]:
    """A site file's data: floors for so many vehicles; of several, as many lifts as floors."""
    drones = drones_of(vehicles)
    floors = max(1, ceil((vehicles - drones) / BAYS))
    levels = {f"L{floor}": _floor(floor) for floor in range(1, floors + 1)}
    return {
        "site": "made-hospital",
        "name": {"en": "Made hospital", "zh": "合成医院"},
        "anchor": {"lat_deg": 30.5928, "lon_deg": 114.3055, "bearing_deg": 0},
        "levels": {**levels, "yard": _yard(drones)},
        "lifts": _lifts(floors),
        "air": {
            "fence": {
                "name": {"en": "Fence", "zh": "围栏"},
                "kind": "geofence",
                "outline": [[-200, -300], [300, -300], [300, 200], [-200, 200]],
                "ceiling_agl_m": 120,
            },
            "yard-patrol": {
                "name": {"en": "Yard", "zh": "院区"},
                "kind": "patrol",
                "outline": [[0, -140], [80, -140], [80, -40], [0, -40]],
                "floor_agl_m": 20,
                "ceiling_agl_m": 60,
            },
        },
    }


def _floor(floor: int) -> dict[str, Any]:
    south = [f"f{floor}s{n}" for n in range(COLUMNS)]
    north = [f"f{floor}n{n}" for n in range(COLUMNS)]
    nodes = {node: [n * STEP_M, 10.0] for n, node in enumerate(south)}
    nodes |= {node: [n * STEP_M, 22.0] for n, node in enumerate(north)}
    places: dict[str, Any] = {}
    for n in range(WARDS):
        places[f"ward-{floor}-{n + 1}"] = {
            "name": {"en": f"Ward {floor}.{n + 1}", "zh": f"{floor}层{n + 1}病区"},
            "kind": "ward",
            "at": [n * STEP_M, 28.0],
            "joins": [north[n]],
        }
    for n in range(BAYS):
        places[f"bay-{floor}-{n + 1}"] = {
            "name": {"en": f"Bay {floor}.{n + 1}", "zh": f"{floor}层{n + 1}车位"},
            "kind": "bay",
            "at": [n * STEP_M, 4.0],
            "joins": [south[n]],
            "roles": ["parking", "charger"],
        }
    ties = [[south[n], north[n]] for n in (0, COLUMNS // 2, COLUMNS - 1)]
    return {
        "name": {"en": f"Floor {floor}", "zh": f"{floor}层"},
        "elevation_m": 4.5 * (floor - 1),
        "nodes": nodes,
        "places": places,
        "lanes": [south, north, *ties],
    }


def _yard(drones: int) -> dict[str, Any]:
    places = {
        f"pad-{n + 1}": {
            "name": {"en": f"Pad {n + 1}", "zh": f"{n + 1}号机坪"},
            "kind": "dock",
            "at": [10.0 * (n % PADS_A_ROW), -20.0 - 10.0 * (n // PADS_A_ROW)],
            "roles": ["pad", "charger"],
        }
        for n in range(drones)
    }
    return {
        "name": {"en": "Yard", "zh": "院区"},
        "elevation_m": 0.0,
        "outdoors": True,
        "places": places,
    }


def _lifts(floors: int) -> dict[str, Any]:
    if floors == 1:
        return {}
    lifts: dict[str, Any] = {}
    for number in range(floors):
        column = 1 + number % (COLUMNS // 2 - 1) + (COLUMNS // 2) * (number % 2)
        cabins = {f"L{floor}": [column * STEP_M, 16.0] for floor in range(1, floors + 1)}
        lifts[f"lift-{number + 1}"] = {
            "name": {"en": f"Lift {number + 1}", "zh": f"{number + 1}号电梯"},
            "cabins": cabins,
            "joins": {
                f"L{floor}": [f"f{floor}s{column}", f"f{floor}n{column}"]
                for floor in range(1, floors + 1)
            },
            "speed_m_s": 1.5,
            "door_s": 4.0,
        }
    return lifts


def made_scenario(vehicles: int, hours: float) -> dict[str, Any]:
    """A scenario file's data for the site of so many vehicles."""
    drones = drones_of(vehicles)
    tasks = vehicles * hours * TASKS_PER_VEHICLE_H
    total = {kind: max(1, round(tasks * share)) for kind, share in _SHARES.items()}
    demand: list[dict[str, Any]] = [
        {"kind": "delivery", "total": total["delivery"], "item": ["Meals", "Linen", "Stores"]},
        {"kind": "medicine", "total": total["medicine"], "item": ["Insulin", "Antibiotics"]},
        {"kind": "disinfection", "total": total["disinfection"], "room": "any"},
        {"kind": "patrol", "total": total["patrol"], "points": "any", "stops": 3, "dwell_s": 15},
        {"kind": "patrol", "total": total["flight"], "area": "any"},
    ]
    for row in demand[:2]:
        row |= {"from": "any", "to": "any", "mass_kg": [0.2, 12]}
    demand[2]["dose_mj_cm2"] = 4
    for row in demand:
        row["due"] = "2h"
    groups = [_group("helper", "H", vehicles - drones, "bay"), _group("drone", "D", drones, "pad")]
    return {
        "scenario": "made-hospital",
        "site": "site.yaml",
        "start": "2026-02-03T00:00:00+08:00",
        "duration": f"{hours:g}h",
        "models": _models(),
        "vehicles": [group for group in groups if group["ids"]],
        "demand": demand if drones else demand[:-1],
    }


def _group(model: str, letter: str, count: int, stand: str) -> dict[str, Any]:
    homes = [
        f"pad-{n + 1}" if stand == "pad" else f"bay-{n // BAYS + 1}-{n % BAYS + 1}"
        for n in range(count)
    ]
    group = {"model": model, "ids": [f"{letter}{n + 1}" for n in range(count)], "homes": homes}
    if stand == "bay":
        return group
    return group | {
        "docks": homes,
        "cruise_agl_m": [LOWEST_M + 8.0 * (n % 10) for n in range(count)],
    }


def _models() -> dict[str, Any]:
    return {
        "helper": {
            "make": "Porter",
            "kind": "helper",
            "medium": "ground",
            "speed_m_s": 1.0,
            "acceleration_m_s2": 0.4,
            "width_m": 0.6,
            "length_m": 0.7,
            "payload_kg": 60,
            "payload_l": 200,
            "load_types": ["general", "medicine"],
            "skills": ["carry", "lock", "uv_c", "camera"],
            "energy": _GROUND_ENERGY,
            "link": {"vda5050": {"version": "2.1.0", "manufacturer": "Porter"}},
        },
        "drone": {
            "make": "Cormorant",
            "kind": "multirotor",
            "medium": "air",
            "speed_m_s": 12,
            "acceleration_m_s2": 2.0,
            "width_m": 0.9,
            "length_m": 0.9,
            "skills": ["camera"],
            "energy": _AIR_ENERGY,
            "link": {"mavlink": {}},
        },
    }
