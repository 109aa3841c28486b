"""Which of the two backends reaches a robot: real rclpy, where ROS is there, or cyclonedds."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from fleet.errors import ConfigError
from fleet.ros2.config import Ros2Config
from fleet.ros2.port import Nav2Port

if TYPE_CHECKING:
    from fleet.ros2.dds import Participants

NO_RCLPY = (
    "rclpy is not there: install ROS 2 with nav2_msgs, and source its setup.bash before starting"
)
NO_DDS = "cyclonedds is not there: pip install 'wardline[ros2-dds]'"
ONLY_CYCLONE = "for robots on rmw_cyclonedds_cpp"


def has(package: str) -> bool:
    """Whether a package could be imported."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # it is shut out, or half loaded
        return False


class Backends:
    """Makes the ports of a fleet's robots; those in one DDS domain share a participant."""

    def __init__(self) -> None:
        self._participants: Participants | None = None

    def port(self, vehicle: str, config: Ros2Config) -> Nav2Port:
        """The port of one robot; it does not speak yet.

        Raises:
            ConfigError: the backend that is wanted is not installed, or none is.
        """
        rclpy, dds = has("rclpy"), has("cyclonedds")
        match config.backend:
            case "rclpy" if not rclpy:
                raise ConfigError(f"{vehicle} speaks ROS 2 by rclpy, but {NO_RCLPY}")
            case "dds" if not dds:
                raise ConfigError(f"{vehicle} speaks ROS 2 by DDS, but {NO_DDS}")
            case "auto" if not (rclpy or dds):
                raise ConfigError(
                    f"{vehicle} speaks ROS 2, but neither backend can be had: {NO_RCLPY}; or, "
                    f"{ONLY_CYCLONE}, {NO_DDS}"
                )
            case _:
                wants_rclpy = config.backend == "rclpy" or (config.backend == "auto" and rclpy)
        return self._rclpy(config) if wants_rclpy else self._dds(config)

    def _rclpy(self, config: Ros2Config) -> Nav2Port:
        from fleet.ros2.rclpy_port import RclpyPort

        return RclpyPort(config)

    def _dds(self, config: Ros2Config) -> Nav2Port:
        from fleet.ros2.dds import Participants
        from fleet.ros2.dds_port import DdsPort

        if self._participants is None:
            self._participants = Participants()
        return DdsPort(config, self._participants)
