"""``report.html``: one file with nothing behind it, right for any name and any number, kept while a run learns."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re

import pytest
import torch

from n2d2py.quant.grid import Grid
from n2d2py.report import page_charts, page_confusion, page_facts, page_histograms, page_html, page_stages, page_views
from n2d2py.report.page_charts import Axis, Series
from n2d2py.report.page_facts import FAILED, RUNNING, Facts, Learning
from report.pages import HOSTILE, SVG, Page, confusion, facts, histogram, layer, point


def shown(given: Facts, **drawings: bytes) -> Page:
    return Page(page_html.page(given, drawings))


# ------------------------------------------------------------------------------------------------ the page


def test_all_parts_are_there():
    page = shown(facts(), Network=SVG)
    ids = {str(one["id"]) for one in page.named("section")}
    assert ids == {"learning", "test", "layers", "distributions", "integers", "graph", "made"}
    assert {str(one["href"]) for one in page.named("a")} == {f"#{name}" for name in ids}
    wanted = ("best validation", "0 differ", "8 of 8", "every one proved exact", "1 min 15 s", "weights on their grid")
    assert [words for words in wanted if words not in page.text] == []


def test_no_name_is_anything_but_text():
    text = page_html.page(facts(), {HOSTILE: SVG})
    page = Page(text)
    assert not page.named("b onload")
    assert not page.named("i")
    assert all("onload" not in attributes for _, attributes in page.tags)
    assert page.text.count(HOSTILE) >= 6
    assert [one["alt"] for one in page.named("img")] == [HOSTILE]
    assert text.count("</script>") == 1


def test_nothing_is_fetched_and_nothing_acts():
    text = page_html.page(facts(), {"Network": SVG})
    assert all(place.startswith("data:") for place in Page(text).loaded())
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "@import" not in text
    assert "url(" not in text
    assert [one["type"] for one in Page(text).named("script")] == ["application/json"]


def test_a_page_with_nothing_yet_is_a_page():
    page = shown(Facts(title="net.ini"))
    assert [one["id"] for one in page.named("section")] == ["made"]


def test_a_running_page_loads_itself_anew_and_a_failed_one_says_why():
    given = facts()
    given.commands[-1].state = RUNNING
    assert any(one.get("http-equiv") == "refresh" for one in shown(given).named("meta"))
    given.commands[-1].state, given.commands[-1].problem = FAILED, f"no data {HOSTILE}"
    page = shown(given)
    assert not any(one.get("http-equiv") == "refresh" for one in page.named("meta"))
    assert f"no data {HOSTILE}" in page.text


def test_what_a_page_shows_can_be_read_back(tmp_path):
    given = facts()
    page_html.write_page(tmp_path / "report.html", given, {"Network": SVG, "no picture": b"word"})
    assert page_html.read(tmp_path / "report.html") == (given, {"Network": SVG})


@pytest.mark.parametrize("facts", [None, '{"format":9}', "[]", '{"format":1}', "{"])
def test_what_is_no_page_is_not_read(facts, tmp_path):
    text = "<html></html>" if facts is None else f'<script type="application/json" id="facts">{facts}</script>'
    (tmp_path / "report.html").write_text(text)
    assert page_html.read(tmp_path / "report.html") is None
    assert page_html.read(tmp_path / "none.html") is None


def test_facts_of_other_types_are_refused():
    content = json.loads(page_facts.to_json(facts()))
    content["layers"][0]["macs"] = "many"
    assert page_facts.from_json(json.dumps(content)) is None


def test_a_network_of_the_size_of_resnet_stays_small():
    given = facts(epochs=120, cells=80, classes=1000)
    assert len(page_html.page(given, {"Network": SVG})) < 1_500_000


# -------------------------------------------------------------------------------------------------- charts


def test_a_chart_says_its_numbers():
    series = Series("a<b", "blue", [1, 2, 3], [50, 5, 0.5], star=2)
    svg = page_charts.line_chart([series], "epoch", Axis("error", logarithmic=True))
    page = Page(svg)
    assert [one["class"] for one in page.named("circle")] == ["dot blue", "dot blue", "best blue"]
    assert "a<b, epoch 3: 0.5, the best" in page.text
    assert page.named("svg")[0]["aria-label"] == "error: a<b last 0.5"
    ticks = [float(one) for one in re.findall(r'text-anchor="end">([^<]+)<', svg)]
    assert ticks == [0.5, 1, 2, 5, 10, 20, 50]


@pytest.mark.parametrize(
    "ys", [[0.0], [1.0, 1.0], [0.0, 100.0], [-3.0, 3.0], [1e-9, 1e9], [float("nan"), 2.0], [5, 5.0001]]
)
@pytest.mark.parametrize("logarithmic", [False, True])
def test_any_values_make_a_chart_inside_its_frame(ys, logarithmic):
    svg = page_charts.line_chart([Series("a", "blue", range(len(ys)), ys)], "epoch", Axis("y", logarithmic=logarithmic))
    for one in Page(svg).named("circle"):
        assert 0 <= float(str(one["cx"])) <= page_charts.WIDTH
        assert 0 <= float(str(one["cy"])) <= page_charts.HEIGHT
    heights = [float(y) for y in re.findall(r'class="tick" x="42" y="([\d.]+)"', svg)]
    assert len(heights) >= 1
    assert all(first - second >= 11 for first, second in itertools.pairwise(heights)), "labels touch"


def test_thousands_of_points_are_thinned_and_the_last_one_stays():
    svg = page_charts.line_chart([Series("a", "blue", range(9001), [1.0] * 9000 + [9.0])], "batch", Axis("y"))
    assert len(svg) < 12_000
    assert svg.count("<circle") == 0
    assert page_charts.line_chart([Series("a", "blue", [], [])], "epoch", Axis("y")) == ""


def test_a_small_histogram_has_a_bar_a_level():
    svg = page_charts.small_histogram(histogram(16), "orange")
    assert len(re.findall(r"M[\d.]+ 44v", svg)) == sum(count > 0 for count in histogram(16).counts)
    assert "12 of 16 levels used" in Page(svg).text


def test_errors_of_nothing_wrong_can_be_drawn_on_a_logarithmic_axis():
    points = [point(0, learning={"t": 0.9}), point(1, learning={"t": 1.0})]
    errors = page_views.errors_of(points, "t", "learning")
    assert [errors(one) for one in points] == pytest.approx([10.0, 5.0])
    assert len(page_views.charts(Learning(2, 0, "", points))) == 3


# ---------------------------------------------------------------------------------------------- histograms


def test_histograms_count_all_that_is_finite():
    found = page_histograms.of_values(torch.tensor([-1.0, 0.0, 0.0, 1.0, float("nan"), float("inf")]))
    assert found is not None
    assert (found.total, found.low, found.high, found.zeros, found.mean) == (4, -1.0, 1.0, 0.5, 0.0)
    constant = page_histograms.of_values(torch.full((7,), 0.1))
    assert constant is not None
    assert constant.counts == [7]
    assert page_histograms.of_values(torch.tensor([float("nan")])) is None


def test_codes_are_counted_on_their_levels():
    grid = Grid(0.5, -3, 3, 2)
    found = page_histograms.of_codes(torch.tensor([-3.0, -1.0, -1.0, 3.0, 0.0]), grid)
    assert found is not None
    assert (found.counts, found.levels, found.used) == ([1, 2, 0, 1], 4, 3), "the 0 is no level: no connection is there"
    assert (found.low, found.high, found.mean) == (-1.5, 1.5, -0.25)
    wide = page_histograms.of_codes(torch.arange(256.0), Grid(1.0, 0, 255))
    assert wide is not None
    assert (wide.total, wide.levels, wide.used, len(wide.counts)) == (256, 256, 256, 48)


# ----------------------------------------------------------------------------------------------- confusion


def test_few_classes_have_a_table_and_many_a_picture_of_the_worst():
    few, many = page_confusion.view(confusion(10)), page_confusion.view(confusion(1000))
    assert len(few.cells) == 10
    assert not few.picture
    assert len(few.classes) == 10
    assert few.cells[3][3].right
    assert few.cells[3][3].count == 23
    assert "of class 3 taken for class 2" in few.cells[3][2].words
    assert many.cells == []
    assert many.picture.startswith("data:image/png;base64,")
    assert len(many.classes) == 20
    assert many.classes_left_out == 980
    worst = [one.sensitivity for one in many.classes]
    assert worst == sorted(worst)
    assert few.right == sum(20 + index for index in range(10))
    assert few.total == sum(row[2] for row in confusion(10).confusion)


# --------------------------------------------------------------------------------------------------- stages


def test_stages_stand_side_by_side(tmp_path):
    first, last = facts(), facts()
    first.integers, first.equalities = None, []
    last = dataclasses.replace(last, learning=Learning(), layers=[layer("conv1")])
    for name, one in (("stage1", first), ("stage2", facts(epochs=3)), ("stage3", last)):
        page_html.write_page(tmp_path / name / "report.html", one, {"Network": SVG})
    path = page_stages.write_stages(tmp_path, f"net by {HOSTILE}", ["stage1", "stage2", "stage3", "stage4"])
    assert path == tmp_path / "report.html"
    page = Page.of(path)
    assert [one["href"] for one in page.named("a")] == [f"stage{number}/report.html" for number in (1, 2, 3)]
    assert all(place.startswith("data:") for place in page.loaded())
    for words in ("stage1: error rate [%]", "stage2: error rate [%]", "stage2: output", "Layers of stage3", HOSTILE):
        assert words in page.text
    assert "stage3: error rate" not in page.text
    assert page_stages.write_stages(tmp_path / "none", "t", ["a"]) is None
