"""A sweep as a page: the table, and for each figure a dot for every run."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from sim.report.plots import ACCENT, INK, LINE, svg
from sim.report.style import CSS
from sim.sweeps.figures import FIGURES, Figure
from sim.sweeps.table import Row, cells

PAGE = "sweep.html"
ROW, MARGIN, WIDTH = 26, 50, 560
"""Height of a setting, height around all, and width, in CSS pixels."""


def write_page(folder: Path, title: str, rows: Sequence[Row]) -> Path:
    """Write the page into a folder; it needs nothing else."""
    drawn = [figure for figure in FIGURES if _varies(figure, rows)]
    plots = "".join(
        f"<section><figure><figcaption>{escape(_title(figure))}</figcaption>"
        f"{_plot(figure, rows)}</figure></section>"
        for figure in drawn
    )
    columns, lines = cells(rows)
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    path = folder / PAGE
    path.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>\n<body><main>"
        f"<header><h1>{escape(title)}</h1><p><span>mean ± standard deviation over seeds</span>"
        "<span>differences seed by seed</span>"
        '<b class="tag">SIMULATION</b></p></header>'
        f"<section><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></section>"
        f'<div class="pair">{plots}</div></main></body></html>\n',
        encoding="utf-8",
    )
    return path


def _varies(figure: Figure, rows: Sequence[Row]) -> bool:
    """Whether there is more to see than one number."""
    return len({value for row in rows for value in row.values[figure.name].values()}) > 1


def _title(figure: Figure) -> str:
    name = figure.name.replace("_", " ")
    return f"{name}, {figure.unit}" if figure.unit else name


def _plot(figure: Figure, rows: Sequence[Row]) -> str:
    def draw(drawing: Drawing) -> None:
        axes: Axes = drawing.subplots()
        for place, row in enumerate(rows):
            numbers = list(row.values[figure.name].values())
            axes.scatter(numbers, [place] * len(numbers), s=16, color=ACCENT, alpha=0.5, lw=0)
            one = row.spreads.get(figure.name)
            if one is not None:
                axes.plot([one.mean] * 2, [place - 0.3, place + 0.3], color=INK, lw=1.5)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="x", color=LINE)
        axes.set_axisbelow(True)
        drawing.tight_layout()

    return svg(figure.name, WIDTH, MARGIN + ROW * len(rows), draw)
