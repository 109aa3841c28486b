"""The MQTT broker of a site: how it is written down, and the bus that goes over it."""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from fleet.bus import MqttBus
from fleet.errors import ConfigError

USER = "WARDLINE_BROKER_USER"
PASSWORD = "WARDLINE_BROKER_PASSWORD"
"""Environment variables; they win over the file's ``user`` and ``password_file``."""

MASTER = "wardline"
"""The dispatcher's user, where nobody says otherwise."""

_ADDRESS = re.compile(r"(?P<host>[^\s:/]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


def _address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65_536:
        raise PydanticCustomError("address", "an address is host:port, such as localhost:1883")
    return text


Address = Annotated[str, AfterValidator(_address)]


def split_address(address: str) -> tuple[str, int]:
    """Host and port of an address that a configuration holds."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class Tls(BaseModel):
    """Files in PEM form, from the folder of the serving configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca: str | None = None
    """Who signs the broker's certificate; none = whoever this machine trusts."""
    cert: str | None = None
    """Ours, where the broker wants one, with its ``key``."""
    key: str | None = None

    @model_validator(mode="after")
    def _both(self) -> "Tls":
        if (self.cert is None) != (self.key is None):
            raise PydanticCustomError("tls", "cert and key go together; write both or neither")
        return self


class BrokerConfig(BaseModel):
    """How to reach the broker; the password stands in none of this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Address
    protocol: Annotated[Literal["3.1.1", "5"], BeforeValidator(str)] = "3.1.1"
    """Version of MQTT."""
    user: str | None = None
    password_file: str | None = None
    """A file with the password in its first line, for those who keep it out of the environment."""
    tls: Tls | None = None

    @model_validator(mode="before")
    @classmethod
    def _only_an_address(cls, given: object) -> object:
        return {"address": given} if isinstance(given, str) else given


def user_of(config: BrokerConfig | None) -> str:
    """Whom the dispatcher logs in as, where the broker wants to know."""
    return os.environ.get(USER) or (config and config.user) or MASTER


def bus_of(config: BrokerConfig, folder: Path, *, user: str | None = None) -> MqttBus:
    """The bus over a broker; it does not connect yet.

    Without a user and a password anywhere it logs in as nobody.

    Args:
        folder: where the configuration's files are.
        user: instead of the one that the environment or the configuration names.

    Raises:
        ConfigError: one of them can't be used; the message never has a password in it.
    """
    host, port = split_address(config.address)
    password = os.environ.get(PASSWORD) or _password(config, folder)
    named = password or os.environ.get(USER) or config.user
    return MqttBus(
        host,
        port,
        username=user or (user_of(config) if named else None),
        password=password,
        tls=None if config.tls is None else _context(config.tls, folder),
        protocol=config.protocol,
    )


def _password(config: BrokerConfig, folder: Path) -> str | None:
    if config.password_file is None:
        return None
    file = folder / config.password_file
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"can't read the password in {file}: {why}") from None
    if not lines or not lines[0]:
        raise ConfigError(f"{file} is empty; write the broker's password in its first line")
    return lines[0]


def _context(tls: Tls, folder: Path) -> ssl.SSLContext:
    files = [folder / name for name in (tls.ca, tls.cert, tls.key) if name is not None]
    for file in files:
        if not file.is_file():
            raise ConfigError(f"there is no file {file}; write its path below broker: tls:")
    try:
        context = ssl.create_default_context(cafile=str(folder / tls.ca) if tls.ca else None)
        if tls.cert is not None and tls.key is not None:
            # a key with a passphrase would have the process ask for it on the terminal
            context.load_cert_chain(folder / tls.cert, folder / tls.key, password="")
    except (OSError, ValueError) as error:
        named = ", ".join(map(str, files))
        raise ConfigError(f"broker: tls: can't use {named}: {error}") from None
    return context
