"""The world of ``bench intake``: wings on one corridor, a very fast robot in each."""

from pathlib import Path
from typing import Any

import yaml


def written(folder: Path, wings: int, broker: tuple[str, int] | None) -> Path:
    """A serving configuration: wings, each with two rooms and the bay of one very fast robot."""
    nodes: dict[str, Any] = {}
    places: dict[str, Any] = {}
    for n in range(wings):
        nodes[f"hub-{n}"] = [30 * n, 0]
        for word, dx, dy in (("east", 5, 0), ("north", 0, 5), ("bay", 0, -5)):
            places[f"{word}-{n}"] = {
                "name": {"en": f"{word} {n}", "zh": f"{word} {n}"},
                "at": [30 * n + dx, dy],
                "joins": [f"hub-{n}"],
                "roles": ["parking", "charger"] if word == "bay" else [],
            }
    site = {
        "site": "bench",
        "name": {"en": "Bench", "zh": "基准"},
        "anchor": {"lat_deg": 30.5, "lon_deg": 114.3},
        "levels": {
            "L1": {
                "name": {"en": "Level 1", "zh": "一层"},
                "elevation_m": 0,
                "nodes": nodes,
                "places": places,
                "lanes": [list(nodes)] if wings > 1 else [],
            }
        },
    }
    serve: dict[str, Any] = {
        "site": "site.yaml",
        "models": {
            "cart": {
                "make": "Acme",
                "kind": "cart",
                "speed_m_s": 100,
                "acceleration_m_s2": 1000,
                "width_m": 0.5,
                "length_m": 0.5,
                "payload_kg": 100,
                "payload_l": 100,
                "load_types": ["general"],
                "skills": ["carry"],
                "energy": {"capacity_wh": 100_000, "idle_w": 1, "move_w": 1},
                "link": {"vda5050": {"version": "2.1", "manufacturer": "acme"}},
            }
        },
        "vehicles": [
            {
                "model": "cart",
                "ids": [f"C{n}" for n in range(wings)],
                "homes": [f"bay-{n}" for n in range(wings)],
            }
        ],
        "dispatch": {"load_s": 0.01, "unload_s": 0.01},
    }
    if broker is not None:
        serve["broker"] = f"{broker[0]}:{broker[1]}"
    (folder / "site.yaml").write_text(yaml.safe_dump(site, sort_keys=False), encoding="utf-8")
    file = folder / "serve.yaml"
    file.write_text(yaml.safe_dump(serve, sort_keys=False), encoding="utf-8")
    return file
