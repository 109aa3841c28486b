"""How the simulated autopilots differ on the wire; one body and one copter fly under all of them.

A copter thinks in ArduCopter's modes and parameters. Another autopilot's habits say how it tells
them: see `sim.mavlink.px4`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.energy import EnergySpec
from sim.mavlink.commands import Commands, Host
from sim.mavlink.copter import Copter
from sim.mavlink.datum import Datum
from sim.mavlink.missions import ARDUPILOT_TRANSFERS, TransferHabits
from sim.mavlink.params import Parameters, sensible


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """One kind of autopilot.

    Args:
        autopilot: its MAV_AUTOPILOT.
        custom_mode: what its HEARTBEAT says of the mode of a copter.
        parameters: its parameters, as a careful operator sets them, with some set otherwise.
        commands: what it makes of commands.
        transfers: how missions go on board.
        home_item: whether item 0 of a mission is its home.
        version: ``flight_sw_version``.
        unasked: messages that flow without being asked for, each with its interval in seconds.
    """

    autopilot: int
    custom_mode: Callable[[Copter], int]
    parameters: Callable[[EnergySpec, int, Mapping[str, float]], Parameters]
    commands: Callable[[Host, Datum], Commands]
    transfers: TransferHabits
    home_item: bool
    capabilities: int
    version: int
    unasked: Mapping[int, float] = field(default_factory=dict[int, float])

    @property
    def shift(self) -> int:
        """What is added to its numbers of mission items to get the copter's, which begin at 1."""
        return 0 if self.home_item else 1


def _parameters(energy: EnergySpec, system_id: int, settings: Mapping[str, float]) -> Parameters:
    return Parameters({**sensible(energy), **settings, "SYSID_THISMAV": system_id})


ARDUPILOT = Habits(
    autopilot=mav.MAV_AUTOPILOT_ARDUPILOTMEGA,
    custom_mode=lambda copter: copter.mode,
    parameters=_parameters,
    commands=Commands,
    transfers=ARDUPILOT_TRANSFERS,
    home_item=True,
    capabilities=64495,
    version=4 << 24 | 5 << 16 | 6 << 8 | 255,
)
"""As ArduCopter 4.5.6 was seen to be; its capabilities are missions and commands with integers,
fences, rally points, MAVLink 2."""
