from xml.etree import ElementTree

import pandas as pd

from analysis.drawing.page import Figure, Key
from analysis.drawing.standalone import standalone


def test_a_figure_of_its_own_is_well_formed_and_names_every_entry_of_its_legend() -> None:
    panel = '<svg viewBox="0 0 30 20"><text>pass@1</text></svg>'
    keys = (Key(label="a < b", colour="#112233"), Key(label="c", colour="#445566"))
    figure = Figure(name="f", keys=keys, panels=(panel,), data=pd.DataFrame(), caption="All: d.")
    root = ElementTree.fromstring(standalone(figure))
    texts = [item.text for item in root.iter() if item.tag.endswith("text")]
    assert texts == ["pass@1", "a < b", "c", "All: d."]
    assert root.attrib["viewBox"] == "0 0 30 77"
