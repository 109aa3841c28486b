"""A flame graph: where the processor time of a run goes, as one picture without a script.

The stack is sampled by the time that the process has computed, not by the wall's clock, so other
programs on the machine don't blur it. A wider box took longer; what it called stands on top of it.
Gregg, Communications of the ACM 59(6), 2016.
"""

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from xml.sax.saxutils import escape, quoteattr

SAMPLE_S = 0.005
WIDTH, ROW, SMALLEST = 1200, 17, 1.5
"""Pixels: of the picture, of a row, and of a box worth drawing."""
LETTER = 6.2
COLORS = {
    "dispatcher": "#e9a23b",
    "routing": "#d9663f",
    "fleet": "#7ba05b",
    "sim": "#5b8fb9",
}
OTHERS = "#c9c4bb"
HOME = Path(__file__).parents[2]


@dataclass(slots=True)
class Box:
    """A function as called from one place in the stack."""

    name: str
    samples: int = 0
    calls: dict[str, "Box"] = field(default_factory=dict[str, "Box"])


class Flame:
    """Samples this process while it computes; main thread only."""

    def __init__(self) -> None:
        self.root = Box("all")

    @contextmanager
    def sampling(self, every_s: float = SAMPLE_S) -> Generator[None]:
        """Sample while the block runs."""
        before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, every_s, every_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            signal.signal(signal.SIGPROF, before)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        stack: list[str] = []
        while frame is not None:
            stack.append(_name(frame))
            frame = frame.f_back
        box = self.root
        box.samples += 1
        for name in reversed(stack):
            box = box.calls.setdefault(name, Box(name))
            box.samples += 1

    def svg(self) -> str:
        """The picture; the stack that all samples share is left out at its foot."""
        foot = self.root
        while len(foot.calls) == 1 and (only := next(iter(foot.calls.values()))):
            if only.samples < foot.samples:
                break
            foot = only
        boxes = list(_placed(foot, 0.0, 0, WIDTH / max(foot.samples, 1)))
        height = (max((row for _, _, _, row in boxes), default=0) + 1) * ROW
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
                f' font-family="monospace" font-size="10">',
                *(_drawn(box, x, width, row, height, foot.samples) for box, x, width, row in boxes),
                "</svg>\n",
            )
        )


def _name(frame: FrameType) -> str:
    code = frame.f_code
    file = Path(code.co_filename)
    module = file.stem if file.stem != "__init__" else file.parent.name
    if file.is_relative_to(HOME) and "site-packages" not in file.parts:
        module = ".".join((*file.relative_to(HOME).parts[:-1], module))
    return f"{module}:{code.co_qualname}"


def _placed(box: Box, x: float, row: int, scale: float) -> Iterator[tuple[Box, float, float, int]]:
    width = box.samples * scale
    if width < SMALLEST:
        return
    yield box, x, width, row
    for called in sorted(box.calls.values(), key=lambda c: c.name):
        yield from _placed(called, x, row + 1, scale)
        x += called.samples * scale


def _drawn(box: Box, x: float, width: float, row: int, height: int, total: int) -> str:
    color = COLORS.get(box.name.partition(":")[0].partition(".")[0], OTHERS)
    y = height - (row + 1) * ROW
    share = 100 * box.samples / total
    letters = int(width / LETTER)
    label = box.name if len(box.name) <= letters else box.name.rpartition(":")[2][:letters]
    text = f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(label)}</text>' if letters > 2 else ""
    return (
        f'<g><rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.4):.1f}" height="{ROW - 1}"'
        f" fill={quoteattr(color)}><title>{escape(box.name)} {share:.1f} %</title></rect>{text}</g>"
    )
