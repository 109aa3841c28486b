"""The broker in a serving configuration, and the files that are made for it."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.broker import MASTER, PASSWORD, USER, bus_of, user_of
from dispatcher.broker_files import users
from dispatcher.cli import make_app
from dispatcher.config import load
from dispatcher.errors import ConfigFault
from fleet.errors import ConfigError
from fleet.routes import is_wild
from tests.dispatcher.test_config import CONFIG, write
from tests.folders import CONFIGS


def with_broker(folder: Path, text: str) -> Path:
    return write(folder, CONFIG.replace("broker: localhost:1883", f"broker: {text}"))


def test_an_address_alone_is_a_broker_without_tls(tmp_path: Path) -> None:
    config = load(with_broker(tmp_path, "localhost:1883")).config.broker
    assert config is not None
    assert (config.address, config.protocol, config.tls) == ("localhost:1883", "3.1.1", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{address: localhost}", "broker.address: an address is host:port"),
        ("{address: 'localhost:1', protocol: 4}", "broker.protocol: "),
        ("{address: 'localhost:1', password: secret}", "unknown key 'password'"),
        ("{address: 'localhost:1', tls: {cert: a.crt}}", "cert and key go together"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigFault, match=re.escape(said)):
        load(with_broker(tmp_path, text))


def test_mqtt_5_is_written_as_a_number(tmp_path: Path) -> None:
    config = load(with_broker(tmp_path, "{address: 'localhost:1', protocol: 5}")).config.broker
    assert config is not None
    assert config.protocol == "5"


def test_files_that_are_not_there_are_named_and_no_password_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(USER, "wardline")
    monkeypatch.setenv(PASSWORD, "s3cret")
    found = load(with_broker(tmp_path, "{address: 'localhost:1', tls: {ca: ca.crt}}"))
    assert found.config.broker is not None
    assert "s3cret" not in repr(found)
    with pytest.raises(ConfigError, match=r"there is no file .*ca\.crt"):
        bus_of(found.config.broker, found.folder)
    (tmp_path / "ca.crt").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"can't use .*ca\.crt"):
        bus_of(found.config.broker, found.folder)


@pytest.mark.parametrize(("text", "said"), [(None, "can't read"), ("", "is empty")])
def test_a_password_file_must_hold_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    found = load(with_broker(tmp_path, "{address: 'localhost:1', password_file: pass}"))
    assert found.config.broker is not None
    if text is not None:
        (tmp_path / "pass").write_text(text)
    with pytest.raises(ConfigError, match=said):
        bus_of(found.config.broker, found.folder)
    (tmp_path / "pass").write_text("s3cret\n")
    assert not bus_of(found.config.broker, found.folder).online


def test_the_dispatcher_has_one_name_in_its_login_and_in_the_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(USER, raising=False)
    for text, name in (("{address: 'a:1'}", MASTER), ("{address: 'a:1', user: boss}", "boss")):
        found = load(with_broker(tmp_path, text))
        assert user_of(found.config.broker) == users(found)[0].name == name
    monkeypatch.setenv(USER, "chief")
    assert user_of(found.config.broker) == users(found)[0].name == "chief"


def test_nobody_writes_what_another_writes() -> None:
    everybody = users(load(CONFIGS / "serve-quick.yaml"))
    master, *others = everybody
    assert master.name == "wardline"
    assert {"C1", "M1", "lift-lift-1", "dock-police-dock-1"} <= {user.name for user in others}
    written = [topic for user in everybody for topic in user.writes]
    assert len(written) == len(set(written))
    assert not any(map(is_wild, written))
    for user in others:
        assert set(user.writes) <= set(master.reads)
        assert set(user.reads) <= set(master.writes)
    (cart,) = (user for user in others if user.name == "C1")
    assert all(topic.startswith("uagv/v2/Porter/C1/") for topic in cart.writes + cart.reads)
    assert "uagv/v2/Porter/C1/state" in cart.writes
    assert "uagv/v2/Porter/C1/order" in cart.reads


def test_a_robot_whose_version_nobody_told_may_speak_any(tmp_path: Path) -> None:
    heard = write(tmp_path, CONFIG.replace("version: 2.1", "version: auto"))
    (cart,) = (user for user in users(load(heard)) if user.name == "cart-1")
    assert {"uagv/v2/acme/cart-1/state", "vda5050/v3/acme/cart-1/state"} <= set(cart.writes)
    assert {"uagv/v2/acme/cart-1/order", "vda5050/v3/acme/cart-1/zoneSet"} <= set(cart.reads)


def test_the_command_writes_files_that_say_the_same(tmp_path: Path) -> None:
    config = with_broker(tmp_path, "{address: 'localhost:8883', user: boss, tls: {ca: ca.crt}}")
    done = CliRunner().invoke(make_app(), ["broker-config", str(config), "-o", str(tmp_path / "b")])
    assert done.exit_code == 0, done.output
    assert "mosquitto_passwd -U passwords" in done.output
    conf = (tmp_path / "b" / "mosquitto.conf").read_text()
    assert "listener 8883\n" in conf
    assert "allow_anonymous false\n" in conf
    assert "certfile /etc/mosquitto/wardline/server.crt\n" in conf
    acl = (tmp_path / "b" / "acl").read_text()
    assert "user boss\ntopic write uagv/v2/acme/cart-1/instantActions\n" in acl
    assert "user cart-1\ntopic write uagv/v2/acme/cart-1/connection\n" in acl
    assert (tmp_path / "b" / "users").read_text() == "boss\ncart-1\nworkcell-picker\n"
    cell = "wardline/v1/facilities/workcell/picker"
    own = f"user workcell-picker\ntopic write {cell}/state\ntopic read {cell}/request\n"
    assert own in acl
    assert acl.count(f"{cell}/state") == acl.count(f"{cell}/request") == 2, "the dispatcher's other"
