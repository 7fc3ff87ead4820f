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


def test_characters_that_no_picture_may_hold_are_shown_as_everywhere() -> None:
    """What draws would end this process at one of them."""
    names = ("a\x1b[31mb", "a\0b", "a\ufffeb", "a\uffffb")
    traces = tuple(Trace(label=name, group=name, mark=Mark.line, x=(1.0, 2.0), y=(3.0, 4.0)) for name in names)
    text = standalone(draw(Chart(title="c\x1bd", x=Scale(label="x"), y=Scale(label="y"), traces=traces), name="f"))
    ElementTree.fromstring(text)
    for shown in ("c\\u001bd", "a\\ufffeb", "a\\uffffb"):
        assert shown in text
