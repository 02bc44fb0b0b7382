"""``-recipe``: a floating-point network becomes an integer one by a single command, stage by stage."""

from __future__ import annotations

import pytest
import runs
from test_distributed import together
from test_resume import killed_at

from n2d2py import explain, ini, outcome, recipe
from n2d2py.cells.base import ActivatedCell
from n2d2py.data import publish_epoch_size
from n2d2py.data.random import Generator
from n2d2py.errors import UsageError
from n2d2py.graph.build import build
from n2d2py.learn import learner, lock
from n2d2py.parts import recipes

FLOATS = runs.network()


pytestmark = pytest.mark.usefixtures("without_pictures")


def network_of(text: str):
    document = ini.loads(text)
    publish_epoch_size(document, Generator(1), tolerant=True)
    return document, build(document, "net.ini")


@pytest.mark.parametrize("name", ["sat4", "lsq3"])
def test_the_stages_run_one_after_the_other(name, folder):
    folder.write(FLOATS)
    assert folder.run(f"-recipe {name} -learn-epoch 2 -workers 0") == 0, folder.said
    first = "stage1_clamp" if name == "sat4" else "stage1_float"
    root = folder / f"net_{name}"
    assert sorted(path.name for path in root.iterdir()) == ["report.html", first, "stage2_quantize", "stage3_fuse"]
    page = (root / "report.html").read_text(encoding="utf-8")
    assert all(f"{stage}: error rate [%]" in page for stage in (first, "stage2_quantize"))
    assert "every one proved exact on its whole reachable range" in page
    assert "<h3>The learned network and the integer network</h3>" in page
    assert "0 of 495 codes differ" in folder.said or " codes differ, 0 of 45 labels differ" in folder.said
    assert f"Importing weights from directory '../{first}/weights'." in folder.said
    assert (root / "stage3_fuse/weights_quantized/manifest.json").exists()
    assert f"Recipe {name} is done; its results:" in folder.said
    assert folder.said.count("mean sensitivity") == 3
    again = folder.run(f"-recipe {name} -learn-epoch 2 -workers 0")
    assert again == 0
    assert folder.said.count("finished before, nothing to do") == 3
    assert "#epoch" not in folder.said


@pytest.mark.parametrize("name", ["lsq7", "lsq8", "sat8"])
def test_learned_steps_of_eight_bits_come_with_integer_biases(name):
    _, network = network_of(FLOATS)
    quantizers = [
        node.cell.activation_quantizer
        for node in recipe.stages(recipe.parse(name), 1)[1].change(network)
        if isinstance(node.cell, ActivatedCell) and node.cell.activation_quantizer is not None
    ]
    assert quantizers
    assert {one.integer_bias for one in quantizers} == {name == "lsq8"}


def test_a_stage_that_was_cut_short_goes_on(folder, tmp_path, monkeypatch):
    folder.write(FLOATS)
    whole = folder.copy(tmp_path / "whole")
    assert whole.run("-recipe sat2 -learn-epoch 2 -workers 0") == 0
    root = folder / "net_sat2"
    logged = outcome.Curves.logged

    def stopping(self, log):
        logged(self, log)
        if (root / "stage2_quantize").exists() and log.epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outcome.Curves, "logged", stopping)
        assert folder.run("-recipe sat2 -learn-epoch 2 -workers 0") == 130
    assert folder.run("-recipe sat2 -learn-epoch 2 -workers 0") == 0
    assert "Stage 1, stage1_clamp: finished before, nothing to do" in folder.said
    assert "Going on from checkpoint checkpoints/24" in folder.said
    part = "net_sat2/stage2_quantize/weights"
    assert folder.weights(part) == whole.weights(part)


def test_the_files_of_the_stages_say_what_the_recipe_changed():
    document, network = network_of(FLOATS)
    clamp, quantize, fuse = recipe.stages(recipe.parse("sat4"), 5)
    text = recipe.rewritten(document, network, clamp.change(network), "net.ini by -recipe sat4")
    assert text.startswith("; net.ini by -recipe sat4\nDefaultModel=Frame\n")
    _, clamped = network_of(text)
    assert all(clamped[name].cell.weights_quantizer.clamps_only for name in ("conv1", "fc1"))
    assert clamped["bn1"].cell.activation_quantizer is None
    text = recipe.rewritten(document, network, quantize.change(network), "title")
    _, made = network_of(text)
    assert [made[name].cell.weights_quantizer.range for name in ("conv1", "fc1")] == [255, 255]
    assert made["bn1"].cell.activation_quantizer.range == 15
    assert made["bn1"].cell.activation_quantizer_solver.learning_rate == 0.05
    assert made["fc1"].cell.weights_quantizer.apply_scaling
    assert not made["conv1"].cell.weights_quantizer.apply_scaling
    assert "; of the recipe:\nQWeight=SAT\n" in text
    assert made == quantize.change(network)
    assert fuse.words == ("-test", "-qat-sat", "-w", "../stage2_quantize/{weights}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-recipe sat9 -learn-epoch 1", "there is no such recipe"),
        ("-recipe sat4", "-recipe needs the epochs of each stage"),
        ("-recipe sat4 -learn-epoch 1 -w x", "-w has no place beside -recipe"),
    ],
)
def test_what_a_recipe_cannot_be_is_said(line, words, folder):
    assert folder.write(FLOATS).run(line) == 2
    assert words in folder.said


def test_recipes_are_listed_and_explained():
    lines = explain.listing("recipes", "*4")
    assert [line.split()[0] for line in lines[2:]] == ["lsq4", "sat4"]
    assert "4 bits: clamp weights, then weights and activations by SAT, then fuse" in lines[3]
    assert explain.explain("lsq1")[0] == "recipe lsq1"
    assert ["recipes", "16"] in [line.split() for line in explain.listing()]


def test_every_recipe_has_a_name():
    assert recipes.names()[:8] == [f"sat{bits}" for bits in range(1, 9)]
    assert recipe.parse("lsq1").steps == 1
    with pytest.raises(UsageError, match="there is no such recipe"):
        recipe.parse("float")


def test_a_stage_is_made_anew_with_the_one_before(folder, tmp_path):
    folder.write(FLOATS)
    fresh = folder.copy(tmp_path / "fresh")
    assert fresh.run("-recipe sat2 -learn-epoch 2 -workers 0") == 0
    assert folder.run("-recipe sat2 -learn-epoch 1 -workers 0") == 0
    assert folder.run("-recipe sat2 -learn-epoch 2 -workers 1") == 0
    assert "finished before" not in folder.said
    assert folder.said.count("it is made anew") == 3
    for part in ("stage2_quantize/weights", "stage3_fuse/weights_quantized"):
        files = [path for path in (fresh / f"net_sat2/{part}").iterdir() if path.suffix != ".json"]
        assert files
        for path in files:
            assert (folder / f"net_sat2/{part}" / path.name).read_bytes() == path.read_bytes()
    assert folder.run("-recipe sat2 -learn-epoch 2 -workers 0 -checkpoints 1") == 0
    assert folder.said.count("finished before, nothing to do") == 3  # neither of the two changes a result


def test_a_stage_does_not_go_on_from_what_another_recipe_has_learned(folder, tmp_path):
    folder.write(FLOATS)
    fresh = folder.copy(tmp_path / "fresh")
    assert fresh.run("-recipe sat2 -learn-epoch 2 -workers 0") == 0
    assert folder.run("-recipe sat2 -learn-epoch 1 -workers 0") == 0
    # The 50th batch is one of the second stage: stage 1 has 48.
    assert killed_at(folder, "-recipe sat2 -learn-epoch 2 -workers 0", (learner.Learner, "_step"), 50) < 0
    assert folder.run("-recipe sat2 -learn-epoch 2 -workers 0") == 0
    assert "Stage 1, stage1_clamp: finished before" in folder.said
    assert "Going on from checkpoint" not in folder.said
    assert folder.weights("net_sat2/stage2_quantize/weights") == fresh.weights("net_sat2/stage2_quantize/weights")


def test_one_recipe_at_a_time(folder):
    folder.write(FLOATS)
    assert folder.run("-recipe sat2 -learn-epoch 1 -workers 0") == 0
    done = folder / "net_sat2/stage1_clamp" / recipe.DONE
    before = done.read_bytes()
    with lock.locked(folder / "net_sat2" / lock.LOCK):
        assert folder.run("-recipe sat2 -learn-epoch 2 -workers 0") == 1
    assert "another run works in this folder" in folder.said
    assert done.read_bytes() == before


def test_two_processes_follow_a_recipe(folder, tmp_path):
    folder.write(FLOATS)
    assert together(folder, "-recipe sat4 -learn-epoch 1") == [0, 0], (folder / "said0.txt").read_text()
    said = (folder / "said0.txt").read_text()
    assert "Recipe sat4 is done; its results:" in said
    assert " codes differ, 0 of 45 labels differ" in said
    assert (folder / "said1.txt").read_text() == ""
    assert together(folder, "-recipe sat4 -learn-epoch 1") == [0, 0]
    assert (folder / "said0.txt").read_text().count("finished before, nothing to do") == 3
