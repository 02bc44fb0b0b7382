"""The networks of ``models/``: each builds without its data, and the tutorial's have the tutorial's size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from n2d2py import cli, ini, options
from n2d2py.graph.build import build
from n2d2py.graph.lint import lint
from n2d2py.graph.network import Network
from n2d2py.graph.picture import dot, picture_of
from n2d2py.layers.network import TorchNetwork
from n2d2py.learn import solving

FOLDER = Path(__file__).parent.parent / "models"
MODELS = sorted(path.name for path in FOLDER.glob("*.ini"))


def built(name: str) -> Network:
    """The network of a file, unknown keys being errors, as if its database held 60,000 stimuli to learn."""
    document = ini.load(FOLDER / name, strict=True)
    for section in ("sp", "env"):
        if section in document.sections:
            document.publish(section, "_EpochSize", 60000)
    return build(document, name)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_builds_and_is_well_formed(name):
    network = built(name)
    lint(network)
    assert len(network.targets) == 1
    source = dot(picture_of(network), name).source
    assert all(node.name in source for node in network)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_begins_with_commands_that_are_understood(name):
    head = (FOLDER / name).read_text(encoding="utf-8").split("\n\n")[0]
    commands = re.findall(r"n2d2py (\S+\.ini(?: -[a-z-]+(?: \w+)?)+)", head)
    assert commands
    lines = [options.parse(command.split()) for command in commands]
    assert name in {line.network for line in lines}
    assert all((FOLDER / str(line.network)).exists() for line in lines)


@pytest.mark.parametrize("name", ["LeNet_clamp.ini", "LeNet_4bit.ini", "LeNet_SAT4.ini"])
def test_totals_of_the_tutorial(name):
    cost = built(name).cost
    assert (cost.neurons, cost.nodes, cost.synapses) == (6732, 14732, 61470)
    assert (cost.virtual_synapses, cost.connections) == (416520, 422824)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_checks_without_a_warning(name, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("N2D2_DATA", str(tmp_path / "nothing"))
    assert cli.main([str(FOLDER / name), "-check", "-strict"]) == 0
    assert "no errors, 0 warnings" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith(("LeNet", "Digits"))])
def test_small_models_learn_a_batch(name):
    """One batch, forward, backward and update, leaves every weight finite and changes some."""
    layers = TorchNetwork(built(name))
    layers.fill(1)
    outputs = layers.train()(torch.rand(8, *layers.network.stimuli.shape))
    (outputs["softmax"].flatten(1)[:, 0] - 1).square().sum().backward()
    updates = solving.build(layers.learned(), 8)
    before = [tensor.detach().clone() for group in updates.groups for tensor in group.tensors]
    updates.step()
    after = [tensor.detach() for group in updates.groups for tensor in group.tensors]
    assert all(bool(tensor.isfinite().all()) for tensor in after)
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
