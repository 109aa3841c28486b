"""``wardline conform HOST:PORT ROBOT``: what one robot honours of VDA 5050."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.broker import PASSWORD, USER, BrokerConfig, Tls, bus_of
from dispatcher.commands.http import AsJson
from dispatcher.commands.words import FAILED, say, say_json, say_table
from fleet.clock import Clock
from fleet.mission import Waypoint
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.conform import Answer, Finding, NotReady, Session, Wishes
from fleet.vda5050.state_messages import State
from routing.site import Edge, NodeId, Site

CONNECT_S = 10.0
GOODBYE_S = 0.5
"""For the broker to answer what is said last."""


def register(app: typer.Typer) -> None:
    """Hang this command into ``wardline``."""
    app.command("conform")(conform)


def conform(
    broker: Annotated[str, typer.Argument(metavar="HOST:PORT", show_default=False)],
    robot: Annotated[str, typer.Argument(metavar="MANUFACTURER/SERIAL", show_default=False)],
    version: Annotated[str, typer.Option(help="The version that it speaks.")] = "2.1",
    prefix: Annotated[
        str | None,
        typer.Option(
            help="First word of its topics, if not its version's own.", show_default=False
        ),
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="Drive it over this site's nodes, not straight on.")
    ] = None,
    step: Annotated[
        float, typer.Option(min=0.1, max=20, help="Metres of each step straight on.")
    ] = 1.0,
    drive: Annotated[bool, typer.Option(help="Whether it may be driven at all.")] = True,
    action: Annotated[
        list[str] | None, typer.Option(help="A node action to try on the spot, such as pick.")
    ] = None,
    instant_actions_key: Annotated[
        str, typer.Option(help="Some robots of version 2.0 want instantActions.")
    ] = "actions",
    answer: Annotated[float, typer.Option(min=1, help="Seconds for an answer.")] = 10.0,
    patience: Annotated[float, typer.Option(min=5, help="Seconds for a step.")] = 120.0,
    period: Annotated[bool, typer.Option(help="Wait half a minute for its next state.")] = True,
    unplug: Annotated[
        float, typer.Option(min=0, help="Seconds in which you cut its power, for its last will.")
    ] = 0.0,
    username: Annotated[
        str | None, typer.Option(help=f"At the broker, or {USER}; password: {PASSWORD}.")
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(help="Speak TLS; this file says who signed the broker's certificate."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try what one idle robot honours of VDA 5050. It DRIVES: two steps, and back."""
    config = _config(robot, version, prefix, instant_actions_key)
    bus_config = _broker(broker, ca)
    wishes = Wishes(
        answer_s=answer,
        drive_s=patience,
        drive=drive,
        step_m=step,
        route=None if site is None else _route_on(_load(site)),
        actions=tuple(action or ()),
        period=period,
        unplug_s=unplug,
    )
    try:
        findings = asyncio.run(_examine(bus_config, username, config, wishes, quiet=as_json))
    except NotReady as error:
        if as_json:
            say_json({"robot": robot, "error": {"code": "not_ready", "message": str(error)}})
        else:
            typer.echo(f"{robot}: {error}", err=True)
        raise typer.Exit(FAILED) from None
    _tell(robot, findings, as_json=as_json)
    if any(finding.answer is Answer.BREAKS for finding in findings):
        raise typer.Exit(FAILED)


async def _examine(
    broker: BrokerConfig,
    username: str | None,
    config: Vda5050Config,
    wishes: Wishes,
    *,
    quiet: bool,
) -> list[Finding]:
    bus = bus_of(broker, Path(), user=username)
    keeping = asyncio.create_task(bus.run(), name="conform.bus")
    try:
        async with asyncio.timeout(CONNECT_S):
            await bus.connected()
        session = Session(bus, config, Clock.starting(), wishes)
        if not quiet and sys.stderr.isatty():
            session.on_finding(lambda finding: typer.echo(f"  {finding.rule} ...", err=True))
        findings = await session.run()
        await asyncio.sleep(GOODBYE_S)
        return findings
    except TimeoutError:
        raise NotReady(
            f"no broker answers at {broker.address}; check the address, --ca, and --username with "
            f"{PASSWORD}"
        ) from None
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


def _tell(robot: str, findings: Sequence[Finding], *, as_json: bool) -> None:
    count = {answer: sum(f.answer is answer for f in findings) for answer in Answer}
    if as_json:
        rows = [
            {
                "rule": f.rule,
                "answer": f.answer.value,
                "took_s": None if f.took_s is None else round(f.took_s, 3),
                "note": f.note,
            }
            for f in findings
        ]
        say_json(
            {
                "robot": robot,
                "conformant": not count[Answer.BREAKS],
                "findings": rows,
                "counts": {answer.value: number for answer, number in count.items()},
            }
        )
        return
    say_table(
        ("rule", "answer", "seconds", "note"),
        [
            (f.rule, f.answer.value, "" if f.took_s is None else f"{f.took_s:.2f}", f.note)
            for f in findings
        ],
    )
    say(f"{robot}: " + ", ".join(f"{number} {answer.value}" for answer, number in count.items()))


def _config(robot: str, version: str, prefix: str | None, key: str) -> Vda5050Config:
    manufacturer, slash, serial = robot.partition("/")
    if not slash or not manufacturer or not serial:
        raise typer.BadParameter(f"{robot!r} is no robot; write MANUFACTURER/SERIAL")
    if version == "auto":
        raise typer.BadParameter(
            "a robot is tried in one version; write --version 2.0, 2.1 or 3.0, whichever it speaks"
        )
    try:
        return Vda5050Config.model_validate(
            {
                "version": version,
                **({} if prefix is None else {"prefix": prefix}),
                "manufacturer": manufacturer,
                "serial": serial,
                "start_deviation_m": 1.0,
                "instant_actions_key": key,
            }
        )
    except ValueError as error:
        faults = getattr(error, "errors", list)()
        told = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
        raise typer.BadParameter(told or str(error)) from None


def _broker(address: str, ca: Path | None) -> BrokerConfig:
    try:
        return BrokerConfig(address=address, tls=None if ca is None else Tls(ca=str(ca)))
    except ValueError:
        raise typer.BadParameter(
            f"{address!r} is no broker; write HOST:PORT, such as localhost:1883"
        ) from None


def _load(path: Path) -> Site:
    from routing.sites.site_yaml import load  # it takes a while

    return load(path)


def _route_on(site: Site) -> Callable[[State], Sequence[Waypoint] | None]:
    """Three nodes of a site, from where the robot stands, and all of them different if they can."""

    def route(state: State) -> Sequence[Waypoint] | None:
        start = NodeId(state.last_node_id)
        if start not in site.nodes:
            return None
        ways = [
            (a, b)
            for a in site.edges_from[start]
            for b in site.edges_from[a.end]
            if site.nodes[a.end].level == site.nodes[b.end].level == site.nodes[start].level
            and _returns(site, a)
            and _returns(site, b)
        ]
        ways.sort(key=lambda way: way[1].end == start)
        if not ways:
            return None
        nodes = [start, ways[0][0].end, ways[0][1].end]
        return [
            Waypoint(node=n, level=site.nodes[n].level, point=site.nodes[n].point) for n in nodes
        ]

    return route


def _returns(site: Site, edge: Edge) -> bool:
    plain = edge.lane.door is None and edge.lane.lift is None
    return plain and any(back.end == edge.start for back in site.edges_from[edge.end])
