from dataclasses import replace
from xml.etree import ElementTree

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.standalone import standalone


def test_a_figure_of_its_own_is_well_formed_and_names_every_entry_of_its_legend() -> None:
    traces = tuple(Trace(label=f"{name}, d", group=name, mark=Mark.point, x=(1.0, 2.0), y=(3.0, 4.0)) for name in "ab")
    charts = tuple(Chart(title=t, x=Scale(label="x"), y=Scale(label="pass@1"), traces=traces) for t in ("a < b", "c"))
    figure = replace(draw(Panels(title="both", charts=charts), name="f"), claim="It grows.")
    text = standalone(figure)
    texts = [item.text for item in ElementTree.fromstring(text).iter() if item.tag.endswith("text")]
    assert texts.count("pass@1") == 2
    assert {"a < b", "c", "It grows.", "Both. All: d."} <= set(texts)
    assert texts.count("a") == texts.count("b") == 1  # one legend for both panels
    assert text == standalone(figure)
