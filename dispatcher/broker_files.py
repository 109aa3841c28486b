"""Mosquitto's files for one installation: who may log in, and who may say and hear what.

Each robot writes its own topics and reads its own orders, each facility speaks and hears for
itself, and only the dispatcher reads all of them and gives orders.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dispatcher.broker import split_address, user_of
from dispatcher.config import Installation
from fleet.facility import TOPICS as FACILITIES

CONF, ACL, USERS, PASSWORDS = "mosquitto.conf", "acl", "users", "passwords"
FROM_ROBOT = ("connection", "factsheet", "state", "visualization")
VERSIONS_HEARD = ("2.1", "3.0")
"""Whose topics are open to a robot of which nobody has said which one it speaks."""
TO_ROBOT = ("instantActions", "order", "responses", "zoneSet")
"""The last two are of version 3.0."""
LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may log in, and the topics that he may write and read."""

    name: str
    what: str
    writes: tuple[str, ...]
    reads: tuple[str, ...]


def users(installation: Installation) -> list[User]:
    """Everybody who speaks at the broker, the dispatcher first."""
    others = [*_robots(installation), *_facilities(installation)]
    return [
        User(
            name=user_of(installation.config.broker),
            what="the dispatcher",
            writes=tuple(topic for one in others for topic in one.reads),
            reads=tuple(topic for one in others for topic in one.writes),
        ),
        *others,
    ]


def _robots(installation: Installation) -> Iterator[User]:
    for vehicle in installation.vehicles:
        wire = vehicle.link.vda5050
        if wire is not None:
            versions = VERSIONS_HEARD if wire.version == "auto" else (wire.version,)
            spoken = [wire.in_version(version) for version in versions]
            yield User(
                name=vehicle.id,
                what=f"robot {wire.manufacturer} {wire.serial}",
                writes=tuple(one.topic(name) for one in spoken for name in FROM_ROBOT),
                reads=tuple(one.topic(name) for one in spoken for name in TO_ROBOT),
            )


def _facilities(installation: Installation) -> Iterator[User]:
    site = installation.site
    docks = sorted({vehicle.dock for vehicle in installation.vehicles if vehicle.dock})
    stations = (
        ("door", site.doors),
        ("lift", site.lifts),
        ("workcell", site.workcells),
        ("dock", docks),
    )
    for kind, names in stations:
        for name in names:
            yield User(
                name=f"{kind}-{name}",
                what=f"{kind} {name}",
                writes=(f"{FACILITIES}/{kind}/{name}/state",),
                reads=(f"{FACILITIES}/{kind}/{name}/request",),
            )


def mosquitto_conf(installation: Installation, folder: str) -> str:
    """The broker's configuration, for Mosquitto 2.0 and later.

    Args:
        folder: where its files will be on the broker's machine.
    """
    broker = installation.config.broker
    port = split_address(broker.address)[1] if broker else 1883
    tls = broker is not None and broker.tls is not None
    lines = [
        f"# The MQTT broker of {installation.site.name.en}, written by wardline broker-config.",
        f"listener {port}",
        "allow_anonymous false",
        f"password_file {folder}/{PASSWORDS}",
        f"acl_file {folder}/{ACL}",
        "",
    ]
    if tls:
        lines += [
            "# the broker's own certificate, and who signs those of clients",
            f"cafile {folder}/ca.crt",
            f"certfile {folder}/server.crt",
            f"keyfile {folder}/server.key",
            "tls_version tlsv1.2",
        ]
        if broker is not None and broker.tls is not None and broker.tls.cert is not None:
            lines.append("# the dispatcher has a certificate; true = robots need one, too")
            lines.append("require_certificate false")
    else:
        lines.append("# no TLS: passwords and orders can be read by who hears the network")
    lines += [
        "",
        "# small messages at once, not gathered for 40 ms",
        "set_tcp_nodelay true",
        "# what is retained (who is connected) outlives a restart of the broker",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 60",
        "# after a restart of the dispatcher: one retained message of each robot, and more",
        f"max_queued_messages {max(10_000, 10 * len(installation.vehicles))}",
        f"message_size_limit {LARGEST_BYTES}",
        "# a robot that is gone is known after one and a half times its keep-alive; no more than",
        "max_keepalive 60",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    return "\n".join(lines) + "\n"


def acl(installation: Installation) -> str:
    """Who may write and read what; whatever is not named is refused."""
    lines = [
        "# Written by wardline broker-config; write it anew when vehicles or facilities change."
    ]
    for user in users(installation):
        lines += ["", f"# {user.what}", f"user {user.name}"]
        lines += [f"topic write {topic}" for topic in user.writes]
        lines += [f"topic read {topic}" for topic in user.reads]
    return "\n".join(lines) + "\n"
