"""A field with two docks and two pads that drones share: where stories of drones begin."""

SITE = """\
# A field with two docks and two pads that both drones use.
site: field
name: {en: Field, zh: 场地}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  yard:
    name: {en: Yard, zh: 院区}
    outdoors: true
    nodes: {road: [90, 300]}
    places:
      dock-1: {name: {en: Dock 1, zh: 一号}, kind: dock, at: [0, 0], roles: [pad, charger]}
      dock-2: {name: {en: Dock 2, zh: 二号}, kind: dock, at: [40, 0], roles: [pad, charger]}
      depot: {name: {en: Depot, zh: 仓库}, kind: stores, at: [0, 300], roles: [pad]}
      clinic: {name: {en: Clinic, zh: 诊所}, kind: ward, at: [40, 300], roles: [pad]}
      gate: {name: {en: Gate, zh: 大门}, kind: entrance, at: [80, 300], joins: [road]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-200, -200], [300, -200], [300, 500], [-200, 500]]
"""
