import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from n2d2py.errors import WeightsError
from n2d2py.layers.base import Stored
from n2d2py.learn import weights
from n2d2py.learn.names import path_of
from n2d2py.learn.syntxt import text_of

INTEROP = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "interop"


class Tensors:
    """A network that is nothing but its tensors."""

    def __init__(self, cells):
        self.cells = cells

    def stored(self):
        return self.cells


def conv_and_norm(seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    mask = torch.tensor([[1, 0], [1, 1], [0, 1]], dtype=torch.bool)[:, :, None, None].expand(3, 2, 2, 2)
    norm = [Stored("scales", draw(3)), Stored("biases", draw(3)), Stored("means", draw(3))]
    norm += [Stored("variances", draw(3).square()), Stored("QAct_SAT_Alpha", torch.tensor([6.5]))]
    conv = [Stored("weights", draw(3, 2, 2, 2) * mask, mask), Stored("biases", draw(3))]
    return Tensors({"conv": conv, "bn": norm})


def values(network):
    return {(cell, item.name): item.tensor.clone() for cell, items in network.stored().items() for item in items}


def equal(one, other):
    return all(torch.equal(one[key], other[key]) for key in one)


def refused(network, folder, *words, missing="error"):
    """Loading must fail with these words, and change nothing."""
    before = values(network)
    with pytest.raises(WeightsError) as caught:
        weights.load(network, folder, missing)
    assert equal(before, values(network))
    for word in words:
        assert word in str(caught.value)


def test_a_round_trip_is_exact(tmp_path):
    first, second = conv_and_norm(1), conv_and_norm(2)
    weights.save(first, tmp_path / "weights")
    weights.load(second, tmp_path / "weights")
    assert equal(values(first), values(second))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_float32_survives_its_text(numbers):
    tensor = torch.tensor(numbers, dtype=torch.float32)
    back = np.array(text_of(Stored("biases", tensor)).split(), np.float64).astype(np.float32)
    assert back.tobytes() == tensor.numpy().tobytes()


def test_names_and_layout(tmp_path):
    network = conv_and_norm()
    network.cells["conv"][0].tensor.copy_(torch.arange(24.0).reshape(3, 2, 2, 2))
    network.cells["conv"][1].tensor.copy_(torch.tensor([0.1, 2.0**-40, -2.0]))
    weights.save(network, tmp_path)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [
        "bn_QAct_SAT_Alpha.syntxt",
        "bn_biases.syntxt",
        "bn_means.syntxt",
        "bn_scales.syntxt",
        "bn_variances.syntxt",
        "conv_biases.syntxt",
        "conv_weights.syntxt",
    ]
    # Kernels that are not connected are left out.
    lines = "0 1 2 3 \n8 9 10 11 12 13 14 15 \n20 21 22 23 \n"
    assert (tmp_path / "conv_weights.syntxt").read_text() == lines
    assert (tmp_path / "conv_biases.syntxt").read_text() == "0.100000001\n9.09494702e-13\n-2\n"
    assert (tmp_path / "bn_QAct_SAT_Alpha.syntxt").read_text() == "6.5"


def test_names_of_cells_as_paths(tmp_path):
    assert path_of("block1/conv:0") == "block1/conv_0"
    assert path_of('a<b>c"d|e?f*') == "a_b_c_d_e_f_"
    assert path_of("/../../etc") == "__/__/etc"
    network = Tensors({"block1/conv:0": [Stored("weights", torch.ones(1, 2))]})
    weights.save(network, tmp_path)
    assert (tmp_path / "block1" / "conv_0_weights.syntxt").read_text() == "1 1 \n"
    weights.load(network, tmp_path)


def test_two_cells_may_not_share_a_file(tmp_path):
    one = [Stored("weights", torch.ones(1, 1))]
    with pytest.raises(WeightsError, match="would share a file"):
        weights.save(Tensors({"a:b": one, "a?b": one}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_leaves_the_old_files_whole(tmp_path, monkeypatch):
    old, new = conv_and_norm(1), conv_and_norm(2)
    weights.save(old, tmp_path)
    opened = Path.open

    def open_on_a_full_disk(self, *options, **others):
        if "bn_means" in self.name:
            raise OSError(28, "No space left on device")
        return opened(self, *options, **others)

    monkeypatch.setattr(Path, "open", open_on_a_full_disk)
    with pytest.raises(OSError, match="No space left"):
        weights.save(new, tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.part"))
    weights.load(new, tmp_path)
    assert equal(values(old), values(new))


def test_an_interrupt_while_files_are_renamed_comes_after_all_of_them(tmp_path, monkeypatch):
    old, new = conv_and_norm(1), conv_and_norm(2)
    weights.save(old, tmp_path)
    replace, calls = Path.replace, []

    def replace_interrupted(self, other):
        calls.append(other)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return replace(self, other)

    monkeypatch.setattr(Path, "replace", replace_interrupted)
    with pytest.raises(KeyboardInterrupt):
        weights.save(new, tmp_path)
    monkeypatch.undo()
    weights.load(old, tmp_path)
    assert equal(values(old), values(new))


def test_what_is_not_finite_is_not_saved(tmp_path):
    network = conv_and_norm()
    weights.save(network, tmp_path)
    before = (tmp_path / "bn_means.syntxt").read_text()
    network.cells["bn"][2].tensor[1] = float("nan")
    with pytest.raises(WeightsError, match="means of cell bn holds a value that is not finite"):
        weights.save(network, tmp_path)
    assert (tmp_path / "bn_means.syntxt").read_text() == before


def test_dev_null_loads_nothing(tmp_path):
    network = conv_and_norm()
    before = values(network)
    weights.load(network, "/dev/null")
    assert equal(before, values(network))


def test_a_folder_that_is_not_there(tmp_path):
    network = conv_and_norm()
    for missing in ("error", "notice"):
        refused(network, tmp_path / "wieghts", "there is no folder", "wieghts", "-w", missing=missing)
    (tmp_path / "file").write_text("")
    refused(network, tmp_path / "file", "is a file, not a folder")
    weights.load(network, tmp_path / "wieghts", "ignore")


def test_a_folder_of_another_network(tmp_path):
    network = conv_and_norm()
    refused(network, tmp_path, "no file of weights of this network", "no .syntxt file at all", missing="notice")
    weights.save(Tensors({"fc": [Stored("weights", torch.ones(1, 1))]}), tmp_path)
    refused(network, tmp_path, "1 others, such as fc_weights.syntxt", missing="notice")


def test_a_missing_file_is_an_error(tmp_path):
    network = conv_and_norm(1)
    weights.save(network, tmp_path)
    (tmp_path / "bn_QAct_SAT_Alpha.syntxt").unlink()
    refused(
        conv_and_norm(2), tmp_path, f"Could not open synaptic file: {tmp_path}/bn_QAct_SAT_Alpha.syntxt", "-w-ignore"
    )


def test_learning_bears_a_missing_file_with_a_notice(tmp_path, caplog):
    caplog.set_level("INFO", logger="n2d2py")
    first, second = conv_and_norm(1), conv_and_norm(2)
    weights.save(first, tmp_path)
    (tmp_path / "bn_QAct_SAT_Alpha.syntxt").unlink()
    second.cells["bn"][4].tensor.fill_(3.0)
    weights.load(second, tmp_path, "notice")
    assert f"Could not open synaptic file: {tmp_path}/bn_QAct_SAT_Alpha.syntxt" in caplog.messages
    assert second.cells["bn"][4].tensor.item() == 3.0
    assert torch.equal(first.cells["bn"][3].tensor, second.cells["bn"][3].tensor)


def test_a_cell_without_its_weights_keeps_its_biases_too(tmp_path):
    first, second = conv_and_norm(1), conv_and_norm(2)
    weights.save(first, tmp_path)
    (tmp_path / "conv_weights.syntxt").unlink()
    before = second.cells["conv"][1].tensor.clone()
    weights.load(second, tmp_path, "notice")
    assert torch.equal(second.cells["conv"][1].tensor, before)


def test_half_a_cell_is_an_error_even_where_files_may_be_missing(tmp_path):
    weights.save(conv_and_norm(1), tmp_path)
    (tmp_path / "conv_biases.syntxt").unlink()
    refused(conv_and_norm(2), tmp_path, "conv_biases.syntxt", "beside the other files of cell conv", missing="notice")


def test_missing_scales_are_borne(tmp_path):
    second = conv_and_norm(2)
    weights.save(conv_and_norm(1), tmp_path)
    (tmp_path / "bn_scales.syntxt").unlink()
    before = second.cells["bn"][0].tensor.clone()
    weights.load(second, tmp_path, "notice")
    assert torch.equal(second.cells["bn"][0].tensor, before)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("conv_weights", "1 2 3\n", ("holds 3 values", "weights of cell conv are 16", "too early")),
        ("conv_biases", "1\n2\n3\n4\n", ("Synaptic file size larger than expected", "holds 4 values")),
        ("conv_biases", "", ("holds 0 values",)),
        ("bn_means", "1\nnan\n3\n", ("'nan' among the weights of cell bn", "bn_means.syntxt:2")),
        ("bn_means", "1\n2\n1e99\n", ("'1e99'", "bn_means.syntxt:3")),
        ("bn_means", "1\n2,5\n3\n", ("'2,5'",)),
        ("bn_variances", "1\n2\n-0.5\n", ("negative variance -0.5 of cell bn", "bn_variances.syntxt:3")),
        ("bn_scales", "<!DOCTYPE html><html>", ("web page",)),
        ("bn_scales", "version https://git-lfs.github.com/spec/v1\n", ("Git LFS pointer",)),
        ("bn_scales", "\u00e9\u00e8", ("not a finite number",)),
    ],
)
def test_a_damaged_file_is_an_error_and_nothing_is_loaded(tmp_path, name, text, words):
    weights.save(conv_and_norm(1), tmp_path)
    (tmp_path / f"{name}.syntxt").write_text(text, encoding="utf-8")
    refused(conv_and_norm(2), tmp_path, *words, missing="notice")


def test_a_single_file_holds_weights_then_bias_of_each_output(tmp_path):
    weights.save(conv_and_norm(1), tmp_path)
    for name in ("conv_weights", "conv_biases", "bn_scales", "bn_biases", "bn_means", "bn_variances"):
        (tmp_path / f"{name}.syntxt").unlink()
    (tmp_path / "conv.syntxt").write_text("1 2 3 4 100  5 6 7 8 9 10 11 12 200  13 14 15 16 300")
    (tmp_path / "bn.syntxt").write_text("1 2 3 4\n5 6 7 8\n9 10 11 12\n")
    network = conv_and_norm(2)
    weights.load(network, tmp_path)
    loaded = values(network)
    assert loaded["conv", "biases"].tolist() == [100, 200, 300]
    connected = network.cells["conv"][0].mask
    assert loaded["conv", "weights"][connected].tolist() == list(range(1, 17))
    assert loaded["bn", "scales"].tolist() == [1, 5, 9]
    assert loaded["bn", "variances"].tolist() == [4, 8, 12]
    (tmp_path / "bn.syntxt").write_text("1 2 3 4\n5 6 7 8\n9 10 11\n")
    refused(network, tmp_path, "all parameters of cell bn are 12", "holds 11 values")


def test_a_single_file_does_not_hide_what_is_saved_later(tmp_path, caplog):
    caplog.set_level("INFO", logger="n2d2py")
    first, second = conv_and_norm(1), conv_and_norm(2)
    weights.save(first, tmp_path)
    (tmp_path / "bn.syntxt").write_text("1 2 3 4 5 6 7 8 9 10 11 12")
    weights.save(first, tmp_path)
    weights.load(second, tmp_path)
    assert equal(values(first), values(second))
    assert (tmp_path / "bn.syntxt.old").exists()
    assert "bn.syntxt.old" in caplog.text


@pytest.mark.skipif(not INTEROP.is_dir(), reason="weights written by N2D2 are not here")
@pytest.mark.parametrize("stage", ["clamp", "quantized"])
def test_files_written_by_n2d2_load(stage):
    cells = {}
    for cell, shape in (("conv1", (6, 1, 5, 5)), ("conv3", (120, 16, 5, 5)), ("fc1", (84, 120)), ("fc2", (10, 84))):
        cells[cell] = [Stored("weights", torch.zeros(shape))]
    cells["conv2"] = [Stored("weights", torch.zeros(16, 6, 5, 5))]
    for cell, channels in (("bn1", 6), ("bn2", 16), ("bn3", 120)):
        names = ["scales", "biases", "means", "variances"]
        cells[cell] = [Stored(name, torch.zeros(channels)) for name in names]
        if stage == "quantized":
            cells[cell].append(Stored("QAct_SAT_Alpha", torch.zeros(1)))
    network = Tensors(cells)
    weights.load(network, INTEROP / stage / "weights")
    assert all(tensor.abs().sum() > 0 for tensor in values(network).values())
    if stage == "quantized":
        assert cells["bn1"][4].tensor.item() == pytest.approx(5.99403)


def test_folders_may_be_given_as_text(tmp_path):
    saved, loaded = conv_and_norm(), conv_and_norm()
    with torch.no_grad():
        for items in loaded.stored().values():
            for item in items:
                item.tensor.zero_()
    weights.save(saved, os.fspath(tmp_path))
    weights.load(loaded, os.fspath(tmp_path))
    assert equal(values(saved), values(loaded))
