"""What `wardline check` has to say of one file, whatever kind of file it is.

Other packages check their own files: an entry point in the group ``wardline.checks``, named
``scenario`` or ``serve``, is a function from a path to `Checked`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from routing.errors import Fault
from routing.site import Site

GROUP = "wardline.checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The verdict on one file.

    Args:
        what: what the file is, such as ``site riverside``.
        summary: the resolved content in short, line by line: what, and how much or which.
        faults: why it can't be used; none = it can.
        warnings: what a person should look at; they forbid nothing.
        site: the site in it, for drawings and graphs.
    """

    what: str
    summary: Sequence[tuple[str, str]] = ()
    faults: Sequence[Fault] = ()
    warnings: Sequence[Fault] = ()
    site: Site | None = None


Checker = Callable[[Path], Checked]
