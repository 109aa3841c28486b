"""The telemetry messages of a simulated autopilot, built from what is true now."""

import asyncio
import math
from collections.abc import Callable, Mapping

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from fleet.mavlink.parser import Message
from fleet.vehicle import Position
from sim.mavlink.copter import Copter
from sim.mavlink.copter_modes import AUTO
from sim.mavlink.datum import Datum
from sim.mavlink.habits import Habits
from sim.mavlink.missions import MISSION, MissionServer
from sim.mavlink.params import EMPTY_VOLTS, FULL_VOLTS, NOMINAL_VOLTS
from sim.mavlink.wind_estimate import WindEstimate

_PREARM = mav.MAV_SYS_STATUS_PREARM_CHECK
_POSITION_SENSORS = mav.MAV_SYS_STATUS_SENSOR_GPS | mav.MAV_SYS_STATUS_AHRS
_SENSORS = (
    mav.MAV_SYS_STATUS_SENSOR_3D_GYRO
    | mav.MAV_SYS_STATUS_SENSOR_3D_ACCEL
    | mav.MAV_SYS_STATUS_SENSOR_3D_MAG
    | mav.MAV_SYS_STATUS_SENSOR_ABSOLUTE_PRESSURE
    | mav.MAV_SYS_STATUS_SENSOR_ANGULAR_RATE_CONTROL
    | mav.MAV_SYS_STATUS_SENSOR_ATTITUDE_STABILIZATION
    | mav.MAV_SYS_STATUS_SENSOR_YAW_POSITION
    | mav.MAV_SYS_STATUS_SENSOR_Z_ALTITUDE_CONTROL
    | mav.MAV_SYS_STATUS_SENSOR_XY_POSITION_CONTROL
    | mav.MAV_SYS_STATUS_SENSOR_MOTOR_OUTPUTS
    | mav.MAV_SYS_STATUS_SENSOR_BATTERY
    | _POSITION_SENSORS
    | _PREARM
)
_EKF_BLIND = (
    mav.EKF_ATTITUDE | mav.EKF_VELOCITY_VERT | mav.EKF_POS_VERT_ABS | mav.EKF_CONST_POS_MODE
)
_EKF_GOOD = (
    mav.EKF_ATTITUDE
    | mav.EKF_VELOCITY_HORIZ
    | mav.EKF_VELOCITY_VERT
    | mav.EKF_POS_HORIZ_REL
    | mav.EKF_POS_HORIZ_ABS
    | mav.EKF_POS_VERT_ABS
    | mav.EKF_PRED_POS_HORIZ_REL
    | mav.EKF_PRED_POS_HORIZ_ABS
)
_NOT_READY = _POSITION_SENSORS | _PREARM
_U16 = 65535


class Words:
    """Builds messages about one copter."""

    def __init__(
        self, copter: Copter, missions: MissionServer, habits: Habits, datum: Datum
    ) -> None:
        self._habits = habits
        self._copter, self._body, self._missions = copter, copter.body, missions
        self._datum = datum
        self.booted_s = 0.0
        self._wind = WindEstimate(copter, datum)
        self._build: Mapping[int, Callable[[], Message | None]] = {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self.heartbeat,
            mav.MAVLINK_MSG_ID_SYS_STATUS: self._sys_status,
            mav.MAVLINK_MSG_ID_SYSTEM_TIME: lambda: mav.MAVLink_system_time_message(
                0, self.boot_ms
            ),
            mav.MAVLINK_MSG_ID_GPS_RAW_INT: self._gps_raw,
            mav.MAVLINK_MSG_ID_ATTITUDE: self._attitude,
            mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: self._position,
            mav.MAVLINK_MSG_ID_MISSION_CURRENT: self.mission_current,
            mav.MAVLINK_MSG_ID_VFR_HUD: self._hud,
            mav.MAVLINK_MSG_ID_BATTERY_STATUS: self._battery,
            mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT: self._ekf,
            mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION: self._version,
            mav.MAVLINK_MSG_ID_HOME_POSITION: self._home,
            mav.MAVLINK_MSG_ID_WIND: self._wind.message,
            mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: lambda: mav.MAVLink_extended_sys_state_message(
                mav.MAV_VTOL_STATE_UNDEFINED, copter.flight.landed_state
            ),
        }

    @property
    def boot_ms(self) -> int:
        """Milliseconds since the processor started."""
        return round((asyncio.get_running_loop().time() - self.booted_s) * 1000)

    def knows(self, message_id: int) -> bool:
        """Whether it can say such a message at all."""
        return message_id in self._build

    def message(self, message_id: int) -> Message | None:
        """A message of a kind as of now; None where it can't be said, or not yet."""
        build = self._build.get(message_id)
        return None if build is None else build()

    def heartbeat(self) -> Message:
        """Its sign of life, with mode and motors."""
        copter = self._copter
        base = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | mav.MAV_MODE_FLAG_STABILIZE_ENABLED
        if copter.armed:
            base |= mav.MAV_MODE_FLAG_SAFETY_ARMED
        if copter.mode == AUTO:
            base |= mav.MAV_MODE_FLAG_AUTO_ENABLED | mav.MAV_MODE_FLAG_GUIDED_ENABLED
        status = mav.MAV_STATE_ACTIVE if copter.body.airborne else mav.MAV_STATE_STANDBY
        if copter.failsafe:
            status = mav.MAV_STATE_CRITICAL
        return mav.MAVLink_heartbeat_message(
            type=mav.MAV_TYPE_QUADROTOR,
            autopilot=self._habits.autopilot,
            base_mode=base,
            custom_mode=self._habits.custom_mode(copter),
            system_status=status,
            mavlink_version=3,
        )

    def mission_current(self) -> Message:
        """Which item it flies."""
        copter, shift = self._copter, self._habits.shift
        total = max(0, len(self._missions.items[MISSION]) - 1 + shift)
        if not total:
            state = mav.MISSION_STATE_NO_MISSION
        elif copter.mission.complete:
            state = mav.MISSION_STATE_COMPLETE
        elif copter.mission.item == 0:
            state = mav.MISSION_STATE_NOT_STARTED
        else:
            state = mav.MISSION_STATE_ACTIVE if copter.mode == AUTO else mav.MISSION_STATE_PAUSED
        mode = 1 if copter.mode == AUTO else 2
        item = max(0, copter.mission.item - shift)
        return mav.MAVLink_mission_current_message(item, total, state, mode)

    def _position(self) -> Message:
        position, (x, y, up) = self._body.position(), self._body.velocity()
        known = self._copter.estimate.known
        lat_e7, lon_e7 = self._datum.e7(position.point) if known else (0, 0)
        height_mm = round(position.height_agl_m * 1000)
        return mav.MAVLink_global_position_int_message(
            time_boot_ms=self.boot_ms,
            lat=lat_e7,
            lon=lon_e7,
            alt=round(self._datum.ground_amsl_m * 1000) + height_mm,
            relative_alt=height_mm,
            vx=round(y * 100),
            vy=round(x * 100),
            vz=round(-up * 100),
            hdg=round(math.degrees(self._heading_rad(position)) * 100) % 36000,
        )

    def _gps_raw(self) -> Message:
        known = self._copter.estimate.known
        position = self._body.position()
        lat_e7, lon_e7 = self._datum.e7(position.point) if known else (0, 0)
        height_m = self._datum.ground_amsl_m + position.height_agl_m
        x, y, _ = self._body.velocity()
        return mav.MAVLink_gps_raw_int_message(
            time_usec=self.boot_ms * 1000,
            fix_type=mav.GPS_FIX_TYPE_3D_FIX if known else mav.GPS_FIX_TYPE_NO_FIX,
            lat=lat_e7,
            lon=lon_e7,
            alt=round(height_m * 1000),
            eph=80 if known else _U16,
            epv=120 if known else _U16,
            vel=round(math.hypot(x, y) * 100),
            cog=_U16,
            satellites_visible=14 if known else 0,
        )

    def _sys_status(self) -> Message:
        healthy = _SENSORS if self._copter.estimate.known else _SENSORS & ~_NOT_READY
        ratio = self._body.charge_ratio()
        volts = self._volts(ratio)
        return mav.MAVLink_sys_status_message(
            onboard_control_sensors_present=_SENSORS,
            onboard_control_sensors_enabled=_SENSORS,
            onboard_control_sensors_health=healthy | mav.MAV_SYS_STATUS_GEOFENCE,
            load=200,
            voltage_battery=round(volts * 1000),
            current_battery=round(max(0.0, self._body.power_w) / volts * 100),
            battery_remaining=math.floor(ratio * 100 + 1e-6),
            drop_rate_comm=0,
            errors_comm=0,
            errors_count1=0,
            errors_count2=0,
            errors_count3=0,
            errors_count4=0,
        )

    def _battery(self) -> Message:
        ratio = self._body.charge_ratio()
        capacity_wh = self._body.spec.energy.capacity_wh
        used_wh = capacity_wh * (1 - ratio)
        volts = self._volts(ratio)
        return mav.MAVLink_battery_status_message(
            id=0,
            battery_function=mav.MAV_BATTERY_FUNCTION_ALL,
            type=mav.MAV_BATTERY_TYPE_LIPO,
            temperature=32767,
            voltages=[round(volts * 1000), *[_U16] * 9],
            current_battery=round(max(0.0, self._body.power_w) / volts * 100),
            current_consumed=round(used_wh / NOMINAL_VOLTS * 1000),
            energy_consumed=round(used_wh * 36),
            battery_remaining=math.floor(ratio * 100 + 1e-6),
        )

    def _ekf(self) -> Message:
        flags = _EKF_GOOD if self._copter.estimate.known else _EKF_BLIND
        return mav.MAVLink_ekf_status_report_message(flags, 0.02, 0.02, 0.02, 0.01, 0.0)

    def _attitude(self) -> Message:
        heading_rad = self._heading_rad(self._body.position())
        return mav.MAVLink_attitude_message(self.boot_ms, 0, 0, heading_rad, 0, 0, 0)

    def _hud(self) -> Message:
        position, (x, y, up) = self._body.position(), self._body.velocity()
        speed, height_m = math.hypot(x, y), position.height_agl_m
        heading_deg = round(math.degrees(self._heading_rad(position))) % 360
        throttle = 50 if self._body.airborne else 0
        return mav.MAVLink_vfr_hud_message(
            speed, speed, heading_deg, throttle, self._datum.ground_amsl_m + height_m, up
        )

    def _home(self) -> Message | None:
        home = self._copter.flight.home
        if home is None:
            return None
        lat_e7, lon_e7 = self._datum.e7(home)
        return mav.MAVLink_home_position_message(
            latitude=lat_e7,
            longitude=lon_e7,
            altitude=round(self._datum.ground_amsl_m * 1000),
            x=0,
            y=0,
            z=0,
            q=[1, 0, 0, 0],
            approach_x=0,
            approach_y=0,
            approach_z=0,
        )

    def home_item(self) -> Item | None:
        """What item 0 of the mission reads as."""
        home = self._copter.flight.home
        if home is None:
            return None
        lat_e7, lon_e7 = self._datum.e7(home)
        return Item(
            command=mav.MAV_CMD_NAV_WAYPOINT,
            frame=mav.MAV_FRAME_GLOBAL,
            lat_e7=lat_e7,
            lon_e7=lon_e7,
            z_m=self._datum.ground_amsl_m,
        )

    def _version(self) -> Message:
        zeros = [0] * 8
        return mav.MAVLink_autopilot_version_message(
            capabilities=self._habits.capabilities,
            flight_sw_version=self._habits.version,
            middleware_sw_version=0,
            os_sw_version=0,
            board_version=0,
            flight_custom_version=zeros,
            middleware_custom_version=zeros,
            os_custom_version=zeros,
            vendor_id=0,
            product_id=0,
            uid=int(self._copter.params["SYSID_THISMAV"]),
        )

    def _heading_rad(self, position: Position) -> float:
        """Clockwise from true north."""
        return (math.pi / 2 - position.yaw_rad + self._datum.bearing_rad) % math.tau

    def _volts(self, ratio: float) -> float:
        return EMPTY_VOLTS + (FULL_VOLTS - EMPTY_VOLTS) * ratio
