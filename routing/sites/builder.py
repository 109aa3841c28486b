"""From the shape of a site file to the `Site`: ids get their things, nodes their zones."""

from collections.abc import Iterable
from pathlib import Path

from routing.air.relief import relief_m
from routing.errors import Fault, RasterError
from routing.geometry import GeoPoint, LocalFrame
from routing.site import Airspace, AirspaceId, Level, LevelId, LiftId, Role, Site
from routing.sites.draft import Draft, Key, LineOf, name_of, points
from routing.sites.file import LevelFile, SiteFile
from routing.sites.joining import Joining
from routing.sites.lock_doors import LockDoors
from routing.sites.standing import Standing
from routing.terrain import Terrain, read_terrain


class SiteBuilder:
    """Builds one site, collecting what does not fit together.

    Args:
        file: what the text says.
        line: gives the line of a path in the text.
        lost: ids that were dropped for a fault of their own; None = any id may be one.
        folder: where the files are that the text names; None = here.
    """

    def __init__(
        self,
        file: SiteFile,
        line: LineOf,
        lost: frozenset[str] | None,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder or Path()
        self._file = file
        self._draft = Draft(line, lost)

    @property
    def faults(self) -> list[Fault]:
        """What does not fit together."""
        return self._draft.faults

    @property
    def lines(self) -> dict[Key, int]:
        """The line of each thing."""
        return self._draft.lines

    def build(self) -> Site:
        """The site, as far as the text is sound; look at ``faults`` before using it."""
        file, draft = self._file, self._draft
        standing, joining = Standing(file, draft), Joining(file, draft)
        for key, level in file.levels.items():
            standing.stand(LevelId(key), level)
        for key, lift in file.lifts.items():
            standing.cabins(key, lift)
        for key, level in file.levels.items():
            joining.join(LevelId(key), level)
        lifts = {LiftId(key): joining.lift(LiftId(key), lift) for key, lift in file.lifts.items()}
        anchor = GeoPoint(file.anchor.lat_deg, file.anchor.lon_deg)
        airspaces = {AirspaceId(key): self._airspace(key) for key in file.air}
        terrain, relief_m = self._terrain(airspaces.values())
        return Site(
            id=file.site,
            name=name_of(file.name),
            frame=LocalFrame(anchor, file.anchor.bearing_deg),
            levels={LevelId(key): _level(key, level) for key, level in file.levels.items()},
            nodes=draft.nodes,
            lanes=draft.lanes,
            places=draft.places,
            doors=draft.doors,
            lifts=lifts,
            workcells=draft.workcells,
            air_locks=LockDoors(file, draft).build(lifts.values()),
            areas=draft.areas,
            airspaces=airspaces,
            terrain=terrain,
            relief_m=relief_m,
        )

    def _terrain(self, airspaces: Iterable[Airspace]) -> tuple[Terrain | None, tuple[float, float]]:
        """The raster of the ground, and the lowest and highest ground below the air."""
        draft = self._draft
        file, flat = self._file.terrain, (0.0, 0.0)
        if file is None:
            return None, flat
        try:
            terrain = read_terrain(self._folder / file.raster, file.keep_agl_m)
            pads = [draft.nodes[p.node].point for p in draft.places.values() if Role.PAD in p.roles]
            return terrain, relief_m(terrain, list(airspaces), pads)
        except RasterError as error:
            draft.fault(("terrain", "raster"), error.what, error.remedy)
            return None, flat

    def _airspace(self, key: str) -> Airspace:
        file = self._file.air[key]
        self._draft.lines["air", key] = self._draft.line("air", key)
        return Airspace(
            id=AirspaceId(key),
            name=name_of(file.name),
            kind=file.kind,
            outline=points(file.outline),
            holes=tuple(points(hole) for hole in file.holes),
            floor_agl_m=file.floor_agl_m,
            ceiling_agl_m=file.ceiling_agl_m,
            hours=tuple(file.hours),
        )


def _level(key: str, file: LevelFile) -> Level:
    return Level(
        id=LevelId(key),
        name=name_of(file.name),
        elevation_m=file.elevation_m,
        outdoors=file.outdoors,
    )
