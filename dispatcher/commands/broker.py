"""``wardline broker-config``: Mosquitto's files for a serving configuration."""

from pathlib import Path
from typing import Annotated

import typer

from dispatcher.broker import PASSWORD


def register(app: typer.Typer) -> None:
    """Hang this command into ``wardline``."""
    app.command("broker-config")(broker_config)


def broker_config(
    config: Annotated[Path, typer.Argument(help="The serving file.", show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the files.")] = Path(),
    folder: Annotated[
        str, typer.Option(help="Where they will be on the broker's machine.")
    ] = "/etc/mosquitto/wardline",
) -> None:
    """Write mosquitto.conf, acl and users: each robot, lift and door has rights of its own."""
    from dispatcher.broker_files import ACL, CONF, PASSWORDS, USERS, acl, mosquitto_conf, users
    from dispatcher.config import load

    installation = load(config)
    where = folder.rstrip("/")
    everybody = users(installation)
    out.mkdir(parents=True, exist_ok=True)
    (out / CONF).write_text(mosquitto_conf(installation, where), encoding="utf-8")
    (out / ACL).write_text(acl(installation), encoding="utf-8")
    (out / USERS).write_text("".join(f"{user.name}\n" for user in everybody), encoding="utf-8")
    for line in (
        f"{out}: {CONF}, {ACL} and {USERS}, of {len(everybody)} users. Copy them to {where} on the",
        "broker's machine, and make the password file there:",
        f'  while read -r user; do echo "$user:$(openssl rand -hex 16)"; done < {USERS} > clear',
        "  chmod 600 clear          # keep it safe: it says what to set in each robot",
        f"  cp clear {PASSWORDS}; mosquitto_passwd -U {PASSWORDS}; chown mosquitto {PASSWORDS}",
        f"The dispatcher is {everybody[0].name!r}; its password: {PASSWORD}.",
    ):
        typer.echo(line)
    broker = installation.config.broker
    if broker is None:
        typer.echo(f"{config} names no broker; write broker: HOST:1883 for the dispatcher.")
    elif broker.tls is None:
        typer.echo("No TLS: write broker: {address: ..., tls: {ca: ca.crt}} to have it.")
    else:
        typer.echo(f"Put ca.crt, server.crt and server.key into {where}, too.")
