"""The dashboard in a real browser, served on a free port as the verb serves it."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from sweeper.dashboard.pages import application
from sweeper.dashboard.serving import bound
from sweeper.runs.folder import RunDir
from tests.sweeper.four_runs import four_runs

HOSTILE = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"


@dataclass
class Served:
    """A server of a results folder, and the runs in it by state."""

    results: Path
    port: int
    server: uvicorn.Server
    runs: dict[str, str]
    wrong: list[str] = field(default_factory=list)  # what a page's console said

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self, browser: Browser, path: str = "/", *, width: int = 1280) -> Page:
        page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.goto(f"{self.address}/?token=t")
        page.goto(f"{self.address}{path}")
        return page

    def log(self, step: int, reward: float) -> None:
        """What verl logs of one step more of the begun run."""
        attempt = RunDir(results_dir=self.results, run_id=self.runs["interrupted"]).attempts()[0]  # type: ignore[arg-type]
        with attempt.metrics.open("a") as file:
            file.write(json.dumps({"step": step, "data": {"critic/score/mean": reward, "actor/entropy": 0.5}}) + "\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A done run, a failed one of hostile words, an interrupted one with metrics, and a new one."""
    results = tmp_path_factory.mktemp("made") / "results"
    runs = four_runs(results, hostile=HOSTILE)
    run_dir = runs["interrupted"]
    (run_dir.path / "val").mkdir()
    sample = {
        "input": HOSTILE,
        "output": f"answer {HOSTILE}",
        "gts": "1",
        "score": 0.0,
        "outcome": "wrong",
        "pred": HOSTILE,
    }
    (run_dir.path / "val" / "5.jsonl").write_text(json.dumps(sample) + "\n")
    return results, {state: str(run.run_id) for state, run in runs.items()}


@pytest.fixture
def served(made: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Served]:
    results = Path(shutil.copytree(made[0], tmp_path / "results"))
    opened = bound(0)
    config = uvicorn.Config(application(results, token="t"), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
    thread.start()
    found = Served(results=results, port=opened.getsockname()[1], server=server, runs=made[1])
    for step in (1, 2, 3):
        found.log(step, step / 10)
    yield found
    server.should_exit = True
    thread.join(10)


def until(page: Page, expression: str) -> None:
    """Wait until it holds; Playwright's own waiting evaluates a text in the page, which the policy forbids."""
    end = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def names(page: Page) -> list[str]:
    return page.locator("#runs tbody a").evaluate_all("links => links.map((link) => link.title)")


def test_the_token_leaves_the_address_and_a_reload_keeps_filter_and_order(served: Served, browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{served.address}/?token=t")
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    assert page.url == f"{served.address}/"
    page.fill("#text", "tiny-130k")
    page.get_by_role("button", name="seed").click()
    page.get_by_role("button", name="seed").click()
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    assert names(page) == [served.runs["new"], served.runs["interrupted"]]
    page.reload()
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    assert names(page) == [served.runs["new"], served.runs["interrupted"]]
    assert page.locator("th[aria-sort='descending']").inner_text() == "seed"


def test_a_run_is_found_and_opened_by_keys_alone(served: Served, browser: Browser) -> None:
    page = served.open(browser)
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    page.keyboard.press("/")
    page.keyboard.type("interrupted")
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.title") == served.runs["interrupted"]:
            break
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(served.runs["interrupted"])


def test_refreshing_keeps_what_is_chosen_focused_and_scrolled_and_shows_what_is_new(
    served: Served, browser: Browser
) -> None:
    page = served.open(browser)
    page.locator("#runs tbody input").nth(2).check()
    page.set_viewport_size({"width": 1280, "height": 250})
    page.mouse.wheel(0, 120)
    until(page, "scrollY > 50")
    place = page.evaluate("scrollY")
    attempt = RunDir(results_dir=served.results, run_id=served.runs["interrupted"]).attempts()[0]  # type: ignore[arg-type]
    beat = attempt.heartbeat()
    assert beat is not None
    attempt.write("heartbeat", {**json.loads((attempt.path / "heartbeat.json").read_text()), "step": 7})
    expect(page.locator("#runs")).to_contain_text("7/40", timeout=10_000)
    assert page.locator("#runs tbody input").nth(2).is_checked()
    assert page.evaluate("document.activeElement.type") == "checkbox"
    assert page.evaluate("scrollY") == place
    expect(page.locator("#compare")).to_have_text("Compare 1 chosen")


def test_a_step_that_is_logged_joins_its_curve_without_a_reload_and_smoothing_keeps_what_was_measured(
    served: Served, browser: Browser
) -> None:
    page = served.open(browser, f"/run/{served.runs['interrupted']}")
    reward = page.locator("figure[data-metric='reward']")
    expect(reward).to_have_attribute("data-points", "3", timeout=30_000)
    expect(reward.locator("canvas")).to_be_visible()
    served.log(4, 0.9)
    expect(reward).to_have_attribute("data-points", "4", timeout=10_000)
    assert page.evaluate("smoothed([0, 1, 1], 0)") == [0, 1, 1]
    assert page.evaluate("smoothed([1, 1, 1], 0.9)") == pytest.approx([1, 1, 1])
    page.locator("#smooth").fill("0.5")
    told = page.evaluate("pointsOf(charts.get('reward').answer).map((point) => [point.value, point.smooth])")
    assert [value for value, _ in told] == [0.1, 0.2, 0.3, 0.9]
    assert told[1][1] == pytest.approx((0.1 * 0.25 + 0.2 * 0.5) / 0.75)
    page.select_option("#metric", "actor/entropy")
    expect(page.locator("figure[data-metric='actor/entropy'] canvas")).to_be_visible()
    assert served.wrong == []  # no script, style or picture that the policy refused


def test_words_of_a_model_are_shown_and_never_run(served: Served, browser: Browser) -> None:
    for path, shown in (
        ("/", "#runs"),
        (f"/run/{served.runs['interrupted']}", "#log"),
        (f"/run/{served.runs['failed']}", "#facts"),
        (f"/samples/{served.runs['interrupted']}", "main"),
    ):
        page = served.open(browser, path)
        expect(page.locator(shown)).to_contain_text(HOSTILE, timeout=30_000)
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 0
    assert served.wrong == []


def test_runs_are_compared_with_a_colour_for_each_value_of_an_axis(served: Served, browser: Browser) -> None:
    page = served.open(browser, "/compare#by=model")
    expect(page.locator("#differences tbody tr")).to_have_count(4, timeout=30_000)
    expect(page.locator("figure[data-metric='reward']")).to_have_attribute("data-points", "5")
    assert page.evaluate("[...groups.colours.keys()]") == ["tiny-40k", "tiny-130k"]
    page.select_option("#by", "seed")
    until(page, "groups.colours.has('0') && groups.colours.has('1')")
    assert served.wrong == []


def test_the_legend_of_compared_runs_breaks_where_a_phone_ends_and_stands_once(
    served: Served, browser: Browser
) -> None:
    page = served.open(browser, "/compare", width=390)
    items = page.locator("#legend li")
    expect(items).to_have_count(4, timeout=30_000)
    boxes = items.evaluate_all(
        "all => all.map((one) => { const b = one.getBoundingClientRect(); return [b.left, b.right]; })"
    )
    assert all(0 <= left < right <= 390 for left, right in boxes)
    named = page.evaluate("[...groups.colours.keys()]")
    assert [text.strip() for text in items.all_inner_texts()] == named
    dots = page.locator("#legend .swatch").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(dots)) == 4
    page.select_option("#by", "model")
    expect(items).to_have_count(2)
    assert served.wrong == []


def test_of_many_curves_fewer_points_are_drawn_and_the_title_says_so(served: Served, browser: Browser) -> None:
    page = served.open(browser, "/compare")
    expect(page.locator("#differences tbody tr")).to_have_count(4, timeout=30_000)
    drawn = page.evaluate(
        """() => {
          const steps = [...Array(100).keys()], values = steps.map((step) => step / 100);
          const curves = Object.fromEntries([...Array(400).keys()].map((n) => [String(n), [steps, values]]));
          groups = { labelOf: () => "all", colours: new Map([["all", "#000"]]), nameOf: (id) => id };
          const many = { title: "reward", every: 1, curves }, few = { ...many, curves: { 7: curves[7] } };
          const own = pointsOf(many).filter((point) => point.id === "7");
          return [everyOf(many), own.length, own[0].step, own.at(-1).step, pointsOf(few).length];
        }"""
    )
    assert drawn == [3, 34, 0, 99, 100]


def test_no_page_is_wider_than_a_phone(served: Served, browser: Browser) -> None:
    run = served.runs["interrupted"]
    for path in ("/", f"/run/{run}", "/compare", "/reports", f"/samples/{run}"):
        page = served.open(browser, path, width=390)
        page.wait_for_timeout(700)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_every_control_has_a_name(served: Served, browser: Browser) -> None:
    page = served.open(browser)
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    unnamed = page.locator("input, select, button, progress").evaluate_all(
        "all => all.filter((one) => !one.ariaLabel && !one.textContent.trim() && !one.labels?.length).map(String)"
    )
    assert unnamed == []


def test_a_server_that_is_gone_is_told_and_so_is_a_folder(served: Served, browser: Browser) -> None:
    page = served.open(browser)
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    expect(page.locator("#health")).to_contain_text("last read", timeout=10_000)
    away = served.results.rename(served.results.with_name("away"))
    expect(page.locator("#problem")).to_contain_text("gone", timeout=10_000)
    away.rename(served.results)
    expect(page.locator("#problem")).to_be_hidden(timeout=10_000)
    served.server.should_exit = True
    expect(page.locator("#problem")).to_contain_text("does not answer", timeout=15_000)
    expect(page.locator("#runs tbody tr")).to_have_count(4)
    assert "is-gone" in str(page.get_attribute("body", "class"))
    first = page.inner_text("#health")
    until(page, f"document.getElementById('health').textContent !== {json.dumps(first)}")
