"""Robots with Nav2 in a file of vehicles."""

from typing import Any

import pytest
import yaml

from fleet.config import FleetConfig
from fleet.fleet_file import Declared, declare, fleet_faults
from routing.errors import Fault
from routing.sites.marked_yaml import parse
from tests.fleet.vda5050.scene import loop_site

MODEL = {
    "make": "Acme",
    "kind": "cart",
    "speed_m_s": 1.0,
    "width_m": 0.5,
    "length_m": 0.5,
    "energy": {"capacity_wh": 500, "idle_w": 1, "move_w": 1},
    "link": {"ros2": {"level": "L1"}},
}


def declared(
    group: dict[str, Any], model: dict[str, Any] | None = None
) -> tuple[tuple[Declared, ...], list[Fault]]:
    data = {"models": {"cart": model or MODEL}, "vehicles": [{"model": "cart", **group}]}
    text = parse(yaml.safe_dump(data))
    found, faults = declare(FleetConfig.model_validate(data), text, reference="the reference")
    return found, faults + fleet_faults(found, loop_site(), text)


def test_namespace_and_domain_come_with_each_vehicle() -> None:
    found, faults = declared({"ids": ["R1"], "homes": ["park"]})
    assert faults == []
    ros2 = found[0].config.link.ros2
    assert ros2 is not None
    assert (ros2.namespace, ros2.domain_id) == ("/R1", 0)
    group = {"ids": ["R1"], "homes": ["park"], "namespaces": ["/ward/r1"], "domain_ids": [7]}
    ros2 = declared(group)[0][0].config.link.ros2
    assert ros2 is not None
    assert (ros2.namespace, ros2.domain_id) == ("/ward/r1", 7)


@pytest.mark.parametrize(
    ("group", "model", "said"),
    [
        ({"ids": ["R-1"], "homes": ["park"]}, MODEL, "namespaces: [/r1, ...]"),
        (
            {"ids": ["R1", "R2"], "homes": ["park", "park"], "namespaces": ["/r", "/r"]},
            MODEL,
            "have one wire, ROS 2 domain 0, namespace /r",
        ),
        (
            {"ids": ["R1"], "homes": ["park"]},
            {**MODEL, "link": {"ros2": {"level": "L7"}}},
            "no level 'L7'",
        ),
        ({"ids": ["R1"], "homes": ["park"]}, {**MODEL, "medium": "air"}, "flies but is reached by"),
        ({"ids": ["R1"], "homes": ["park"], "namespaces": []}, MODEL, "1 ids but 0 namespaces"),
    ],
)
def test_faults_say_what_to_change(group: dict[str, Any], model: dict[str, Any], said: str) -> None:
    _, faults = declared(group, model)
    assert any(said in f"{fault.what}; {fault.remedy}" for fault in faults), faults
