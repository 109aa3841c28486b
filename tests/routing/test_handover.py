"""Hand-over places beside pads, as a site file has them."""

import pytest

from routing.errors import SiteError
from routing.handover import handovers
from routing.site import PlaceId
from routing.sites.site_yaml import loads

SITE = """\
site: roof
name: {en: Roof, zh: 屋顶}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  roof:
    name: {en: Roof, zh: 屋顶}
    outdoors: true
    nodes: {r1: [0, 0], r2: [20, 0], r3: [80, 0]}
    places:
      near: {name: {en: Near, zh: 近}, at: [0, 5], joins: [r1], roles: [handover]}
      also: {name: {en: Also, zh: 又}, at: [20, 5], joins: [r2], roles: [handover]}
      far: {name: {en: Far, zh: 远}, at: [80, 5], joins: [r3], roles: [handover]}
      bay: {name: {en: Bay, zh: 位}, at: [0, -5], joins: [r1], roles: [parking, charger]}
      pad: {name: {en: Pad, zh: 坪}, at: [10, 20], roles: [pad]}
      pad-2: {name: {en: Pad 2, zh: 二坪}, at: [45, 20], roles: [pad]}
    lanes: [[r1, r2, r3]]
air:
  fence: {name: {en: F, zh: 栏}, kind: geofence, outline: [[-9, -9], [99, -9], [99, 60], [-9, 60]]}
"""


def test_each_place_belongs_to_the_nearest_pad_and_none_to_one_far_off() -> None:
    assert handovers(loads(SITE, "roof")) == {PlaceId("pad"): PlaceId("near")}


def test_robots_do_not_stand_on_pads() -> None:
    text = SITE.replace("at: [10, 20], roles: [pad]", "at: [10, 20], roles: [pad, handover]")
    with pytest.raises(SiteError, match="where robots must not stand"):
        loads(text, "roof")
