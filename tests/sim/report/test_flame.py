"""A flame graph shows who used the processor, and who called whom."""

import signal
import xml.etree.ElementTree as ET
from time import process_time

from sim.report.flame import WIDTH, Flame

SVG = "{http://www.w3.org/2000/svg}"


def dear() -> None:
    _burn(0.2)


def cheap() -> None:
    _burn(0.05)


def _burn(seconds: float) -> None:
    until_s = process_time() + seconds
    while process_time() < until_s:
        pass


def test_the_wider_box_took_longer_and_stands_on_its_caller() -> None:
    flame, before = Flame(), signal.getsignal(signal.SIGPROF)
    with flame.sampling(0.001):
        dear()
        cheap()
    assert signal.getsignal(signal.SIGPROF) is before
    boxes = {
        group.findtext(f"{SVG}rect/{SVG}title", ""): group.find(f"{SVG}rect")
        for group in ET.fromstring(flame.svg()).iter(f"{SVG}g")
    }
    rects = {title.split()[0]: rect for title, rect in boxes.items() if rect is not None}
    mine = "tests.sim.report.test_flame"
    wide, narrow = rects[f"{mine}:dear"], rects[f"{mine}:cheap"]
    caller = rects[f"{mine}:test_the_wider_box_took_longer_and_stands_on_its_caller"]
    assert float(wide.attrib["width"]) > 1.5 * float(narrow.attrib["width"])
    assert float(wide.attrib["y"]) == float(narrow.attrib["y"]) < float(caller.attrib["y"])
    assert float(caller.attrib["width"]) <= WIDTH
