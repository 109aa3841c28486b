"""Site files: YAML that people write, and the `Site` that it describes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from routing.errors import Fault, SiteError
from routing.site import Site
from routing.sites.builder import SiteBuilder
from routing.sites.faults import site_faults
from routing.sites.file import REFERENCE, SiteFile, shape_faults
from routing.sites.marked_yaml import parse, read_text
from routing.sites.salvage import Salvage
from routing.sites.writer import dump

__all__ = ["Examined", "dump", "examine", "examine_text", "load", "loads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """All that can be said of one site file.

    ``site`` is None if there is any fault; warnings leave it usable.
    """

    source: str
    site: Site | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()


def load(path: Path | str) -> Site:
    """The site that a YAML file describes.

    Raises:
        SiteError: the file is wrong; ``faults`` has every reason with its line and remedy.
        OSError: the file can't be read.
    """
    return _site(examine(Path(path)))


def loads(text: str, source: str = "site") -> Site:
    """The site that a YAML text describes; ``source`` names it in messages. Raises SiteError."""
    return _site(examine_text(text, source))


def examine(path: Path) -> Examined:
    """Read a site file and say all that is wrong with it; OSError if it can't be read."""
    text, faults = read_text(path)
    if faults:
        return Examined(source=str(path), site=None, faults=faults)
    return examine_text(text, str(path), path.parent)


def examine_text(text: str, source: str, folder: Path | None = None) -> Examined:
    """Read a site from YAML text and say all that is wrong with it.

    The latest answers are kept: sweeps and tests read few sites often, and sites are frozen. Not
    so where a text names another file, which may be another one by now.

    Args:
        folder: where the files are that it names; None = here.
    """
    names_a_file = "terrain" in text
    return _examined(text, source, folder) if names_a_file else _kept(text, source)


@lru_cache(maxsize=8)
def _kept(text: str, source: str) -> Examined:
    return _examined(text, source, None)


def _examined(text: str, source: str, folder: Path | None) -> Examined:
    marked = parse(text)
    faults = list(marked.faults)
    if not isinstance(marked.data, dict):
        if not faults:
            remedy = f"start with 'site: my-site'; {REFERENCE}"
            faults.append(Fault(1, "this is no site: it holds no 'key: value' lines", remedy))
        return Examined(source=source, site=None, faults=tuple(faults))
    data = cast("dict[str, Any]", marked.data)
    line, lost = marked.line, frozenset[str]()
    try:
        file = SiteFile.model_validate(data)
    except ValidationError as error:
        faults += shape_faults(error, SiteFile, marked)
        salvage = Salvage(data, error.errors(include_url=False), marked)
        line, lost = salvage.line, salvage.lost
        try:
            file = SiteFile.model_validate(data)
        except ValidationError:
            return Examined(source=source, site=None, faults=_sorted(faults))
    builder = SiteBuilder(file, line, lost, folder)
    site = builder.build()
    faults += builder.faults
    whole = site_faults(site, builder.lines, connected=file.connected, complete=not faults)
    faults += whole.faults
    return Examined(
        source=source,
        site=None if faults else site,
        faults=_sorted(faults),
        warnings=_sorted(whole.warnings),
    )


def _site(examined: Examined) -> Site:
    if examined.site is None:
        raise SiteError(examined.source, examined.faults)
    return examined.site


def _sorted(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.what)))
