"""The report of a run: a folder with one page to read and the figures behind it as CSV."""

import json
import shutil
from pathlib import Path

from sim.report.result import RunResult


def write_report(folder: Path, result: RunResult) -> Path:
    """Write ``report.html``, the CSV files, ``summary.json`` and the journal into ``folder``.

    The folder is made if need be; files of the same names are replaced. The page holds all it
    shows and asks nothing of the network.

    Returns:
        The page.
    """
    # both pull in the plotting library, which costs a second: only those who want a report pay
    from sim.report.page import page
    from sim.report.tables import write_tables

    folder.mkdir(parents=True, exist_ok=True)
    write_tables(folder, result)
    text = json.dumps(result.summary, indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    if result.journal is not None and result.journal.resolve().parent != folder.resolve():
        shutil.copyfile(result.journal, folder / "journal.jsonl")
    file = folder / "report.html"
    file.write_text(page(result), encoding="utf-8")
    return file
