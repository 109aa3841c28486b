"""From a site file: air locks, by the doors that shut them off."""

from collections.abc import Iterable

from routing.roads.air_locks import between
from routing.site import AirLock, AirLockId, DoorId, Lift, Name
from routing.sites.draft import Draft, name_of
from routing.sites.file import AirLockFile, SiteFile


class LockDoors:
    """Finds what lies between the doors of each air lock."""

    def __init__(self, file: SiteFile, draft: Draft) -> None:
        self._file = file
        self._draft = draft

    def build(self, lifts: Iterable[Lift]) -> dict[AirLockId, AirLock]:
        """All of them; after all lanes."""
        draft = self._draft
        cabins = {cabin for lift in lifts for cabin in lift.cabins.values()}
        lock_of: dict[DoorId, str] = {}
        found: dict[AirLockId, AirLock] = {}
        for key, file in self._file.air_locks.items():
            draft.lines["air lock", key] = draft.line("air_locks", key)
            doors = self._doors_of(key, file, lock_of)
            if len(file.doors) < 2:
                what = f"air lock {key!r} has {len(file.doors)} door(s)"
                draft.fault(("air_locks", key), what, "give it two doors or more, or remove it")
            if draft.faults or draft.lost != frozenset():  # a lane of it may be missing
                continue
            inside, wrong = between(doors, draft.lanes.values(), cabins)
            if wrong:
                remedy = "its doors are on lanes into one small space; correct doors or lanes"
                draft.fault(("air_locks", key), f"air lock {key!r}: {wrong}", remedy)
            name = name_of(file.name) if file.name else Name(en=key, zh=key)
            id_ = AirLockId(key)
            found[id_] = AirLock(id=id_, name=name, doors=doors, inside=inside)
        return found

    def _doors_of(
        self, key: str, file: AirLockFile, lock_of: dict[DoorId, str]
    ) -> tuple[DoorId, ...]:
        """The doors of an air lock that are there and may belong to it."""
        draft = self._draft
        found: list[DoorId] = []
        for index, name in enumerate(file.doors):
            path, door = ("air_locks", key, "doors", index), draft.doors.get(DoorId(name))
            if door is None:
                draft.unknown(path, "door", name, draft.doors)
            elif door.id in lock_of:
                again = lock_of[door.id] == key
                where = "twice in" if again else f"in {lock_of[door.id]!r} and in"
                what = f"door {name!r} is {where} air lock {key!r}"
                draft.fault(path, what, "a door belongs to one air lock, once; remove it here")
            elif found and door.level != draft.doors[found[0]].level:
                what = f"doors {found[0]!r} and {name!r} of air lock {key!r} are on two levels"
                draft.fault(path, what, "an air lock is on one level; correct the id")
            else:
                found.append(door.id)
                lock_of[door.id] = key
        return tuple(found)
