"""Pages in a browser: nothing runs over the side of a phone, letters can be read, nothing is fetched.

The browser is Debian's (chromium-headless-shell or chromium, with chromium-driver), driven by selenium.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from n2d2py.report import page_html, page_stages
from report.pages import HOSTILE, SVG, facts

SIZES = {"phone": (390, 844, True), "laptop": (1280, 800, False)}
WIDE = b"<svg xmlns='http://www.w3.org/2000/svg' width='3000' height='4000'><text y='20'>wide</text></svg>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no chromium with chromedriver: apt-get install chromium-headless-shell chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for word in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield found
    found.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("pages")
    for name, given in (("stage1", facts(epochs=4)), ("stage2", facts(epochs=60, cells=30))):
        page_html.write_page(root / name / "report.html", given, {"Network": SVG, HOSTILE: WIDE})
    many = page_html.write_page(root / "many.html", facts(epochs=300, cells=60, classes=40), {"Network": WIDE})
    stages = page_stages.write_stages(root, f"net by {HOSTILE}", ["stage1", "stage2"])
    assert stages is not None
    return {"run": root / "stage2" / "report.html", "many": many, "stages": stages}


def show(browser: Any, path: Path, size: str, scheme: str = "light") -> None:
    width, height, mobile = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(path.as_uri())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["run", "many", "stages"])
def test_nothing_runs_over_the_side(browser, pages, name, size):
    show(browser, pages[name], size)
    width = browser.execute_script("return document.documentElement.clientWidth")
    assert width <= SIZES[size][0]
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    over = browser.execute_script(
        """return [...document.querySelectorAll('body *')].filter(
             one => !one.parentElement.closest('.scroll') && one.getBoundingClientRect().right > arguments[0] + 0.5
           ).map(one => one.outerHTML.slice(0, 80))""",
        width,
    )
    assert over == []
    cut = browser.execute_script(
        """return [...document.querySelectorAll('table')].filter(
             one => one.scrollWidth > one.parentElement.clientWidth
               && getComputedStyle(one.parentElement).overflowX != 'auto').length"""
    )
    assert cut == 0, "a table that is too wide scrolls in its own box"


@pytest.mark.parametrize("size", SIZES)
def test_letters_can_be_read(browser, pages, size):
    show(browser, pages["run"], size)
    heights = browser.execute_script(
        "return [...document.querySelectorAll('figure svg text')].map(one => one.getBoundingClientRect().height)"
    )
    assert len(heights) > 20
    assert min(heights) >= 10, "of a line of text, in pixels: letters of about 9"
    small = browser.execute_script(
        """return [...document.querySelectorAll('main *')].filter(one => !one.closest('svg') && one.innerText)
             .filter(one => parseFloat(getComputedStyle(one).fontSize) < 11).length"""
    )
    assert small == 0


def test_axis_labels_do_not_touch(browser, pages):
    show(browser, pages["run"], "phone")
    touching = browser.execute_script(
        """let found = [];
           for (const svg of document.querySelectorAll('figure svg')) {
             const boxes = [...svg.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()]);
             const frame = svg.getBoundingClientRect();
             boxes.forEach(([text, a], index) => {
               if (a.left < frame.left - 0.5 || a.right > frame.right + 0.5) found.push(text);
               for (const [other, b] of boxes.slice(index + 1))
                 if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom - 2 && b.top + 2 < a.bottom - 2)
                   found.push(text + ' and ' + other);
             });
           }
           return found"""
    )
    assert touching == []


@pytest.mark.parametrize("name", ["run", "stages"])
def test_nothing_is_fetched_and_nobody_complains(browser, pages, name):
    show(browser, pages[name], "laptop")
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [place for place in fetched if not place.startswith("data:")] == []
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    assert browser.execute_script("return document.querySelectorAll('[onload], main script').length") == 0
    pictures = browser.execute_script("return [...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert pictures


def test_dark_is_dark_and_light_is_light(browser, pages):
    ask = """const [page, ink] = [document.body, document.body].map((one, index) =>
               getComputedStyle(one)[index ? 'color' : 'backgroundColor'].match(/\\d+/g).slice(0, 3)
                 .reduce((sum, part) => sum + Number(part) / 3, 0));
             return [page, ink]"""
    for scheme, sign in (("light", 1), ("dark", -1)):
        show(browser, pages["run"], "laptop", scheme)
        page, ink = browser.execute_script(ask)
        assert sign * (page - ink) > 150


def test_the_facts_can_be_read_by_a_script(browser, pages):
    show(browser, pages["run"], "laptop")
    title = browser.execute_script("return JSON.parse(document.getElementById('facts').textContent).title")
    assert title == f"{HOSTILE}.ini"
