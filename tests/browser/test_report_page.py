"""The report as a reader has it: nothing leaves the page, nothing is wider than it, and what can be clicked works."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from analysis.drawing.answer import (
    Bar,
    Cell,
    Chart,
    Forest,
    Guide,
    HeatMap,
    Mark,
    Panels,
    Scale,
    Stack,
    Stacks,
    Status,
    Trace,
)
from analysis.drawing.answer import Figure as Asked
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import FirstScreen, RunSection, Sample, Section, Tile, Verdict
from analysis.report.evidence import Evidence
from analysis.report.report import render
from analysis.runs.selection import select
from sweeper.rows.row import Failure, write_row
from sweeper.rows.row import Status as State
from tests.analysis.synthetic_rows import Truth, _row

SIZES = ((1280, "light"), (390, "dark"))
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>{{ 7*7 }}\"'\u2028"
TABLE = "table[aria-label='All runs.']"
BASE_AT_THE_END = ".hover_marks path[aria-label*='base model'][aria-label*='1.00e7']"
GROUPS = ("grpo, 64 problems", "ppo, 64 problems", "reinforce, 64 problems")


def line(group: str, slope: float, mark: Mark = Mark.line) -> Trace:
    x = tuple(10 ** (3 + i / 4) for i in range(17))
    y = tuple(0.1 + slope * i for i in range(17))
    ends = tuple(value - 0.2 for value in y), tuple(value + 0.2 for value in y)
    return Trace(label=group, group=group, mark=mark, x=x, y=y, low=ends[0], high=ends[1])


def curves(title: str) -> Chart:
    traces = [line(group, 0.02 + 0.0005 * i) for i, group in enumerate(GROUPS)]
    base = line("base model, 64 problems", 0.001, Mark.dashed)
    guides = (Guide(axis="x", value=2e4, label="here"), Guide(axis="x", value=2.2e4, label="and here"))
    x = Scale(label="training compute (FLOPs)", log=True)
    return Chart(title=title, x=x, y=Scale.share("pass@1"), traces=(base, *traces), guides=guides)


def points() -> Chart:
    at = (27_000.0, 102_000.0, 400_000.0, 1_500_000.0)
    traces = tuple(
        Trace(label=group, group=group, mark=Mark.point, x=at, y=(0.2, 0.3, 0.4, 0.5), low=(0.1,) * 4, high=(0.6,) * 4)
        for group in GROUPS
    )
    x = Scale(label="parameters without embedding", log=True)
    return Chart(title="pass@1 by size", x=x, y=Scale.share("pass@1"), traces=traces)


def asked() -> dict[str, Asked]:
    names = ("a recipe with a long name and more of it, 64", f"hostile {HOSTILE}, 64", "short, 64")
    bars = [Bar(label=name, value=0.1 * i, low=0.1 * i - 0.1, high=0.1 * i + 0.1) for i, name in enumerate(names)]
    bars.append(Bar(label="none, 64", value=None, note="neither arm reaches the level in 16% of the draws " * 3))
    cells = ((Cell(value=1.0), Cell(value=-0.4, low=-0.9, high=-0.1, mark="*"), Cell(value=None, note="no runs")),) * 3
    domains = ("code", "mathematics", "logic")
    parts = (Stack(label="grpo, 64", shares=(0.25, 0.75), note="1e9"), Stack(label="ppo, 64", shares=(1.0, 0.0)))
    return {
        "panels": Panels(title="pass@1 by compute", charts=(curves("tiny-40k"), curves("tiny-1.6m"))),
        "points": points(),
        "forest": Forest.of_differences("Gain by recipe", "gain in pass@1", bars, zero="no change"),
        "heat": HeatMap(title="transfer", row_label="trained on", column_label="measured on", rows=domains,
                        columns=domains, cells=cells),
        "stacks": Stacks(title="shares", axis=Scale.share("share"), parts=("generation", "update"), lines=parts),
    }  # fmt: skip


def many_lines() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": [f"tiny-{i}m_grpo_s{i % 5} {HOSTILE if i == 7 else ''}" for i in range(500)],
            "parameters": [None if i == 3 else float((i * 7919) % 500) for i in range(500)],
            **{f"column {k}": [(i * (k + 3)) % 101 / 100 for i in range(500)] for k in range(12)},
        }
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every kind of figure, a long table and a run with a hostile sample."""
    folder = tmp_path_factory.mktemp("report")
    failed = Failure(phase="train", reason=HOSTILE, log="log.txt")
    row = _row("r", model="m", size=9, scale=64, algorithm="grpo", seed=0, truth=Truth())
    write_row(folder, replace(row, status=State.failed, failure=failed))
    figures = {name: draw(item, name=name, claim=f"{name} is claimed.") for name, item in asked().items()}
    forms = {"parameters": "{:.0f}K".format}
    table = frame_table(many_lines(), name="runs", caption="All runs.", forms=forms, fold=999)
    settings = frame_table(pd.DataFrame({"setting": ["seed"], "value": [0]}), name="settings", caption="Settings.")
    texts = dict.fromkeys(("prompt", "response", "gold", "parsed", "verdict", "why"), HOSTILE)
    run = RunSection(anchor="run-r", title=HOSTILE, settings=settings, log="log.txt", samples=(Sample(**texts),))
    first = FirstScreen(
        headline=f"Larger is better. {HOSTILE}",
        verdicts=(Verdict(question="Size", sentence="It helps.", status=Status.answered, link="all"),),
        tiles=tuple(Tile(title=name, value="0.373", detail="of it") for name in ("best", "gain", "size", "next")),
        figure=draw(points(), name="first", claim="Larger models answer more."),
    )
    section = Section(anchor="all", title="All kinds", figures=tuple(figures.values()), tables=(table,))
    out = folder / "out.html"
    evidence = Evidence(selection=select(folder))
    out.write_text(render(evidence, [section], first, tables="out_tables", runs=[run]), encoding="utf-8")
    return out


class Opened:
    """A page and what it said and asked for."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: str) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"file://{file}")

    def draw_all(self) -> None:
        for i in range(self.page.locator(".view").count()):
            self.page.locator(".view").nth(i).scroll_into_view_if_needed()
        self.page.wait_for_function("document.querySelectorAll('.view:not(.is-drawn)').length === 0")


@pytest.fixture(scope="module", params=SIZES, ids=str)
def opened(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Opened]:
    found = Opened(browser, file, *request.param)
    found.draw_all()
    yield found
    found.context.close()


def test_nothing_is_said_on_the_console_and_nothing_but_the_file_is_asked_for(opened: Opened, file: Path) -> None:
    assert opened.said == []
    assert opened.asked == [f"file://{file}"]


def test_nothing_is_wider_than_the_page(opened: Opened) -> None:
    wider = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility()
      && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll') && !e.closest('nav'))
      .map(e => [e.tagName, e.closest('figure')?.dataset.name, e.textContent.slice(0, 40)])"""
    assert opened.page.evaluate(wider) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_label_of_a_figure_lies_over_another(opened: Opened) -> None:
    over = """() => [...document.querySelectorAll('.drawn svg')].flatMap(svg => {
      const texts = [...svg.querySelectorAll('text')].filter(t => t.textContent && t.getAttribute('opacity') !== '0')
        .map(t => [t.textContent, t.getBoundingClientRect()]);
      const both = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
      return texts.flatMap(([one, a], i) => texts.slice(i + 1)
        .filter(([, b]) => both(a, b, "left", "right") > 1 && both(a, b, "top", "bottom") > 3)
        .map(([other]) => [svg.closest('figure').dataset.name, one, other]));
    })"""
    assert opened.page.evaluate("document.querySelectorAll('.drawn svg text').length") > 60
    assert opened.page.evaluate(over) == []


def test_no_text_of_a_model_or_a_row_becomes_a_part_of_the_page(opened: Opened) -> None:
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert page.locator(".sample pre").count() == 4
    assert "window.hacked = 1</script><img src=x" in page.locator(".sample pre").nth(1).inner_text()
    assert "{{ 7*7 }}" in page.locator(".reading").inner_text()
    page.evaluate("document.querySelectorAll('details.run').forEach(one => one.open = false)")


def test_a_click_on_the_legend_hides_a_series_and_another_shows_it(opened: Opened) -> None:
    figure = opened.page.locator("figure[data-name=panels]")
    lines = ".drawn .mark-line path[stroke='#0072B2']"
    assert figure.locator(lines).count() == 2  # a panel each
    button = figure.get_by_role("button", name="grpo")
    button.focus()
    opened.page.keyboard.press("Enter")  # as the mouse does
    opened.page.wait_for_function(f'document.querySelectorAll("figure[data-name=panels] {lines}").length === 0')
    assert button.get_attribute("aria-pressed") == "false"
    assert figure.locator(".drawn .mark-line path[stroke='#D55E00']").count() == 2
    button.click()
    opened.page.wait_for_function(f'document.querySelectorAll("figure[data-name=panels] {lines}").length === 2')


@pytest.mark.parametrize(
    ("figure", "mark", "told"),
    [
        ("points", ".point_marks path", ["reinforce, 64 problems", "1.5M", "0.500 [0.100, 0.600]"]),
        ("panels", BASE_AT_THE_END, ["base model, 64 problems", "1.00e7", "0.116 [-0.084, 0.316]"]),
        ("forest", ".point_marks path", ["short", "0.200 [0.100, 0.300]"]),
        ("heat", ".cell_marks path", ["logic", "mathematics", "-0.400 [-0.900, -0.100]*"]),
        ("stacks", ".bar_marks path", ["ppo", "generation", "1.000"]),
    ],
)
def test_the_pointer_is_told_run_place_and_value_with_its_interval(
    opened: Opened, figure: str, mark: str, told: list[str]
) -> None:
    opened.page.locator(f"figure[data-name={figure}] {mark}").last.hover(force=True)
    tip = opened.page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    shown = tip.inner_text()
    assert [text for text in told if text not in shown] == [], shown
    opened.page.mouse.move(0, 0)


def test_a_table_sorts_numbers_as_numbers_with_the_empty_last_in_under_100_ms(opened: Opened) -> None:
    page = opened.page
    table = page.locator(TABLE)
    head = table.get_by_role("button", name="parameters")
    column = f'() => [...document.querySelectorAll("{TABLE} tbody tr")].map(line => line.cells[1].textContent)'
    taken = """async () => { const at = performance.now();
      [...document.querySelectorAll("table[aria-label='All runs.'] th button")][1].click();
      document.body.offsetHeight; return performance.now() - at; }"""
    look = f"""() => ['th', 'tbody td'].map(cells => [...document.querySelectorAll("{TABLE} " + cells)].slice(0, 14)
      .map(cell => [Math.round(cell.getBoundingClientRect().left), getComputedStyle(cell).textAlign]))"""
    before = page.evaluate(look)
    milliseconds = page.evaluate(taken)
    assert page.evaluate(look) == before  # sorted lines are laid out another way
    assert [side for _, side in before[1]] == ["left"] + ["right"] * 13
    ascending = page.evaluate(column)
    assert ascending[:3] == ["0K", "1K", "2K"]
    assert ascending[-2:] == ["499K", "\N{EN DASH}"]
    head.click()
    descending = page.evaluate(column)
    assert descending[:2] == ["499K", "498K"]
    assert descending[-1] == "\N{EN DASH}"
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "descending"
    assert milliseconds < 20_000  # a hang guard: the goal of 100 ms is of `python -m tests.bench`


def test_a_long_table_is_filtered_and_a_short_one_is_not(opened: Opened) -> None:
    page = opened.page
    assert page.locator("input[type=search]").count() == 1
    page.get_by_label("Filter: All runs.").fill("tiny-12m s2")
    assert page.locator(f"{TABLE} tbody tr:visible").count() == 1
    assert page.locator(".filter [role=status]").inner_text() == "1 of 500"
    page.get_by_label("Filter: All runs.").fill("")
    assert page.locator(f"{TABLE} tbody tr:visible").count() == 500


def test_a_figure_is_saved_as_svg_with_its_claim_and_its_legend(opened: Opened) -> None:
    with opened.page.expect_download() as waited:
        opened.page.locator("figure[data-name=panels] button[data-save=svg]").click()
    text = waited.value.path().read_text()
    assert waited.value.suggested_filename == "panels.svg"
    assert text.startswith("<svg")
    assert {"panels is claimed.", "grpo", "tiny-40k"} <= set(re.findall(r">([^<]+)</text>", text))


def test_dark_is_dark_in_page_and_figures_and_the_choice_is_kept(browser: Browser, file: Path) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        found = Opened(browser, file, 1280, scheme)
        found.page.wait_for_selector("figure[data-name=first] .is-drawn")
        seen[scheme] = colours(found.page)
        if scheme == "light":
            found.page.locator("#theme").click()
            found.page.wait_for_function(
                "document.querySelector('.drawn .role-axis-label text').getAttribute('fill') === '#e6e6e6'"
            )
            chosen = colours(found.page)
            found.page.reload()
            found.page.wait_for_selector("figure[data-name=first] .is-drawn")
            assert colours(found.page) == chosen
        found.context.close()
    assert seen["dark"] == chosen
    assert all(seen["light"][name] != seen["dark"][name] for name in seen["light"])


def colours(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(
        """() => ({ paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
        axis: document.querySelector('.drawn .role-axis-label text').getAttribute('fill') })"""
    )
    return found


def test_figures_are_drawn_when_they_come_near_and_pictures_stand_there_without_a_script(
    browser: Browser, file: Path
) -> None:
    found = Opened(browser, file, 1280, "light")
    found.page.wait_for_selector("figure[data-name=first] .is-drawn")
    assert found.page.locator("figure[data-name=stacks] .is-drawn").count() == 0
    found.context.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"file://{file}")
    figures = page.locator("figure")
    assert figures.count() == 6
    for i in range(6):
        picture = figures.nth(i).locator(".still svg").first
        assert picture.is_visible()
        assert picture.bounding_box()["height"] > 50  # type: ignore[index]
    context.close()


def test_on_paper_every_figure_is_the_picture_on_white(opened: Opened) -> None:
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".view > .still:visible").count() == opened.page.locator(".view").count()
    assert opened.page.locator(".view > .drawn:visible").count() == 0
    assert opened.page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 29, 31)"
    assert not opened.page.locator("nav").is_visible()
    opened.page.emulate_media(media="screen")


def test_the_keyboard_shows_where_it_is(opened: Opened) -> None:
    opened.page.evaluate("scrollTo(0, 0)")
    opened.page.keyboard.press("Tab")
    outline = opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
