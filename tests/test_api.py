"""The Python API: its surface, one path with the command line, quantizers by pattern, data that a program gives."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import runs
import torch
from torch import nn

import n2d2py as n2
from n2d2py.cells.base import ActivatedCell, WeightedCell
from n2d2py.errors import DataError, GraphError, IntegerError, LearningError, UsageError, WeightsError
from n2d2py.parts.activations import Linear, Rectifier
from n2d2py.parts.quantizers import SatActivations, SatWeights

IMAGES, LABELS = runs.images(90, seed=3)

SURFACE = {
    "load": "(file, *, seed=1, device='', batch_size=None, strict=False)",
    "from_torch": "(module, input_shape, *, seed=1, device='cpu', batch_size=None)",
    "Net.check": "(self)",
    "Net.draw": "(self, base)",
    "Net.quantize": "(self, pattern='*', weights=None, activations=None)",
    "Net.load_weights": "(self, folder, missing='error')",
    "Net.save": "(self, folder)",
    "Net.learn": (
        "(self, epochs=1, data=None, validation=None, *, folder=None, metric='Sensitivity', stop_after=0, "
        "amp='', tf32=False, watcher=None)"
    ),
    "Net.test": "(self, data=None, *, set='Test', target=None)",
    "Net.calibrate": (
        "(self, count=-1, *, bits=8, data=None, weights='None', activations='MSE', quantile=0.9999, per_output=False,"
        " equalize=True)"
    ),
    "Net.fuse": "(self, data=None, *, mode='Floating-point')",
    "Fused.test": "(self, target=None)",
    "Fused.save": "(self, folder)",
}
PROPERTIES = {"Net": {"cells", "module", "stimuli"}, "Fused": {"exact"}}


def named(path: str) -> object:
    found: object = n2
    for name in path.split("."):
        found = getattr(found, name)
    return found


def plain(function: object) -> str:
    """A signature without its types."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    parameters = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def test_the_surface_is_this() -> None:
    assert set(n2.__all__) == {"Fused", "Net", "__version__", "from_torch", "load"}
    assert {path: plain(named(path)) for path in SURFACE} == SURFACE
    for owner, properties in PROPERTIES.items():
        public = {name for name in vars(getattr(n2, owner)) if not name.startswith("_")}
        fields = {"net", "integer", "verification", "stimuli"} if owner == "Fused" else set()
        methods = {path.split(".")[1] for path in SURFACE if path.startswith(f"{owner}.")}
        assert public - fields == methods | properties


def test_reading_checking_and_printing_need_no_torch(tmp_path: Path) -> None:
    model = Path(__file__).parent.parent / "models" / "LeNet_4bit.ini"
    code = (
        f"import sys, n2d2py as n2; assert 'n2d2py.api' not in sys.modules; net = n2.load({str(model)!r}) "
        "if len(sys.argv) > 1 else None; sys.exit('torch' in sys.modules)"
    )
    for words in ([], ["load"]):
        done = subprocess.run(
            [sys.executable, "-c", code.replace(str(model), str(write(tmp_path))), *words], cwd=tmp_path, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def write(folder: Path, text: str | None = None) -> Path:
    path = folder / "net.ini"
    path.write_text(text or runs.network(), encoding="utf-8")
    return path


@pytest.fixture
def digits(tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The INI file of a network whose data are there."""
    monkeypatch.setenv("N2D2_DATA", str(small_data))
    return write(tmp_path)


def test_cells_and_the_text_of_a_network(digits: Path) -> None:
    net = n2.load(digits)
    assert list(net.cells) == ["conv1", "bn1", "pool1", "fc1", "softmax"]
    assert str(net).startswith("network net.ini, batches of 10\n")
    assert repr(net) == "Net('net.ini', 5 cells)"
    assert net.check() == []
    assert "batches of 3" in str(n2.load(digits, batch_size=3))


def test_learning_is_that_of_the_command_line(digits: Path, tmp_path: Path, small_data: Path) -> None:
    folder = runs.Folder(tmp_path / "run", small_data).write(runs.network())
    assert folder.run("-learn-epoch 2") == 0, folder.said
    net = n2.load(digits, seed=1)
    before = set(tmp_path.iterdir())
    net.learn(2)
    assert set(tmp_path.iterdir()) == before, "nothing is written"
    net.save(tmp_path / "weights")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "weights").iterdir()}
    assert kept == folder.weights()
    rate = net.test().rate
    assert f"Final recognition rate: {100 * rate:.6g}%" in folder.said
    again = n2.load(digits)
    again.load_weights(tmp_path / "weights")
    assert again.test().rate == rate


def test_quantizers_by_pattern_keep_what_was_learned(digits: Path, tmp_path: Path) -> None:
    net = n2.load(digits)
    net.learn(1)
    weights = net.module.layers["conv1"].weights.clone()  # type: ignore[attr-defined]
    net.quantize("conv*", weights=255)
    net.quantize("fc?", weights=SatWeights(range=15, apply_scaling=True))
    net.quantize(activations=15)
    conv, fc, bn = (net.cells[name] for name in ("conv1", "fc1", "bn1"))
    assert isinstance(conv, WeightedCell)
    assert isinstance(fc, WeightedCell)
    assert isinstance(bn, ActivatedCell)
    assert conv.weights_quantizer == SatWeights(range=255, apply_scaling=False), "a BatchNorm comes behind it"
    assert fc.weights_quantizer == SatWeights(range=15, apply_scaling=True)
    assert (bn.activation, bn.activation_quantizer) == (Linear(), SatActivations(range=15))
    assert torch.equal(net.module.layers["conv1"].weights, weights)  # type: ignore[attr-defined]
    net.learn(1)
    fused = net.fuse()
    assert fused.exact
    assert fused.test().rate == net.test().rate
    assert "every one proved exact" in str(fused)
    fused.save(tmp_path / "integers")
    assert (tmp_path / "integers" / "manifest.json").exists()


def test_a_quantizer_that_no_cell_takes_is_an_error(digits: Path) -> None:
    net = n2.load(digits)
    with pytest.raises(GraphError, match=r"no cell is called 'con1'(.|\n)*did you mean conv1"):
        net.quantize("con1", weights=15)
    with pytest.raises(GraphError, match=r"'bn1' takes a quantizer of weights(.|\n)*a cell with weights"):
        net.quantize("bn1", weights=15)
    with pytest.raises(GraphError, match="'pool1' takes a quantizer of activations"):
        net.quantize("pool1", activations=15)
    with pytest.raises(IntegerError):
        net.fuse()


def test_numbers_that_are_none_are_told(digits: Path) -> None:
    net = n2.load(digits)
    for call in (lambda: net.learn(epochs=-1), lambda: net.learn(epochs=1.5), lambda: net.calibrate(0),
                 lambda: net.calibrate(-2), lambda: n2.load(digits, seed=-1)):  # fmt: skip
        with pytest.raises(UsageError, match=r"^(epochs|count|seed)="):
            call()


def test_calibration_is_that_of_the_command_line(digits: Path, tmp_path: Path, small_data: Path) -> None:
    net = n2.load(digits)
    net.learn(4)
    rate = net.test().rate
    net.save(tmp_path / "float")
    folder = runs.Folder(tmp_path / "run", small_data).write(runs.network())
    assert folder.run(f"-calib 30 -w {tmp_path / 'float'}") == 0, folder.said
    ranges = net.calibrate(30)
    assert [item.cell for item in ranges] == ["conv1", "fc1"]
    assert abs(net.test().rate - rate) < 0.1
    net.save(tmp_path / "ours")
    ours = {path.name: path.read_bytes() for path in (tmp_path / "ours").iterdir()}
    assert ours == folder.weights("weights_export")
    fused = net.fuse()
    assert fused.exact
    assert fused.test().rate == net.test().rate


def test_calibration_of_given_data_and_its_mistakes(digits: Path) -> None:
    net = n2.load(digits)
    for wrong, said in (
        ({"bits": 1}, "a calibration for 1 bits"),
        ({"weights": "Quantile"}, "clipping 'Quantile' of weights"),
        ({"activations": "mse"}, "clipping 'mse' of activations"),
    ):
        with pytest.raises(UsageError, match=said):
            net.calibrate(**wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"the set Test of .* is empty"):
        n2.from_torch(_Module(), (1, 8, 8)).calibrate()
    ranges = net.calibrate(20, bits=4, data=(IMAGES, LABELS), per_output=True, activations="None", equalize=False)
    assert {item.cell for item in ranges} == {"conv1", "fc1"}
    assert "conv1_rescale_act" in net.cells
    with pytest.raises(IntegerError, match="-calib gives quantizers to a float network"):
        net.calibrate()


class _Module(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.1), nn.Linear(36, 3),
        )  # fmt: skip


def test_a_torch_module_answers_as_in_torch_and_learns_on() -> None:
    torch.manual_seed(0)
    module = _Module()
    mode = [part.training for part in module.modules()]
    net = n2.from_torch(module, (1, 8, 8), batch_size=10)
    assert [part.training for part in module.modules()] == mode
    assert [cell.type_name for cell in net.cells.values()] == [
        "Conv", "BatchNorm", "Pool", "Reshape", "Dropout", "Fc", "Softmax",
    ]  # fmt: skip
    result = net.test((IMAGES, LABELS))
    with torch.no_grad():
        wanted = module.eval()(torch.from_numpy(IMAGES[:, None] / np.float32(255))).argmax(1)
    assert np.array_equal(result.estimated, wanted.numpy())
    net.quantize(weights=255, activations=15)
    before = net.test((IMAGES, LABELS)).rate
    net.learn(15, (IMAGES, LABELS), validation=(IMAGES, LABELS))
    assert net.test((IMAGES, LABELS)).rate > max(before, 0.5)
    assert net.fuse((IMAGES, LABELS)).exact


def test_a_module_that_torch_cannot_export_is_told() -> None:
    with pytest.raises(GraphError, match=r"torch cannot export _Module(.|\n)*shape \(count, 2, 8, 8\)"):
        n2.from_torch(_Module(), (2, 8, 8))


def test_data_in_several_forms_are_the_same() -> None:
    net = n2.from_torch(_Module(), (1, 8, 8))
    tensors = torch.from_numpy(IMAGES[:, None] / np.float32(255)), torch.from_numpy(LABELS)
    rates = {
        net.test(data).rate
        for data in (
            (IMAGES, LABELS),
            (IMAGES[..., None], LABELS),
            (IMAGES / 255, LABELS),
            tensors,
            torch.utils.data.TensorDataset(*tensors),
        )
    }
    assert len(rates) == 1


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ((IMAGES[0, 0], LABELS), "the images of Test are uint8 of shape"),
        ((IMAGES, LABELS[:5]), "the labels of Test are uint8 of shape"),
        ((IMAGES, LABELS / 2), "the labels of Test are float64"),
        ((IMAGES, LABELS, LABELS), "3 arrays are given for Test"),
        ([1, 2], "the items of the data set of Test are no pairs"),
        ([(IMAGES[0], 0), (IMAGES[1, :2], 1)], "the images of Test cannot be put together"),
    ],
)
def test_data_that_are_none_are_told(data: object, text: str) -> None:
    net = n2.from_torch(_Module(), (1, 8, 8))
    with pytest.raises(DataError, match=text):
        net.test(data)  # type: ignore[arg-type]


def test_what_is_missing_is_told(digits: Path, tmp_path: Path) -> None:
    net = n2.from_torch(_Module(), (1, 8, 8))
    with pytest.raises(DataError, match=r"the set Test of _Module.onnx is empty(.|\n)*give data="):
        net.test()
    with pytest.raises(LearningError, match=r"no target that scores is called 'other'(.|\n)*one of softmax.Target"):
        n2.load(digits).test(target="other")
    with pytest.raises(WeightsError):
        net.load_weights(tmp_path)


# ------------------------------------------------------------------------------------------ models by themselves


def exported(folder: Path) -> Path:
    from n2d2py.layers.exporting import export

    torch.manual_seed(0)
    path = folder / "model.onnx"
    export(_Module(), (1, 8, 8), path)
    return path


def test_a_model_by_itself_from_the_command_line(tmp_path: Path, small_data: Path) -> None:
    folder = runs.Folder(tmp_path / "run", small_data)
    exported(folder.path).rename(folder / "net.ini")
    (folder / "net.ini").rename(folder / "model.onnx")
    with runs.inside(folder.path, small_data), runs.undrawn():
        from n2d2py import cli

        assert cli.main(["model.onnx", "-seed", "1", "-test"]) == 0
        assert cli.main(["-check", "model.onnx"]) == 0
    assert (folder / "model.onnx.png").exists()


def test_a_model_by_itself_has_stimuli_and_a_target(tmp_path: Path) -> None:
    net = n2.load(exported(tmp_path))
    assert net.provider.dims[:2] == (8, 8)
    assert (net.provider.nb_channels if net.provider.size is None else net.provider.size[-1]) == 1
    assert net.network.batch_size == 32
    assert [target.name for target in net.network.targets] == ["softmax.Target"]
    assert isinstance(net.network["/1/BatchNormalization_output_0"].cell, ActivatedCell)
    assert net.network["/1/BatchNormalization_output_0"].cell.activation == Rectifier()


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"<html>")
    with pytest.raises(GraphError, match=r"bad\.onnx"):
        n2.load(tmp_path / "bad.onnx")


def test_weights_of_a_model_come_from_its_file_unless_a_folder_is_there(
    tmp_path: Path, small_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = exported(tmp_path)
    text = (
        "[database]\nType=MNIST_IDX_Database\n[env]\nSizeX=8\nSizeY=8\nBatchSize=10\n"
        f"[onnx]\nInput=env\nType=ONNX\nFile={model}\n"
        "[soft]\nInput=output\nType=Softmax\nNbOutputs=3\nWithLoss=1\n[soft.Target]\n"
    )
    folder = runs.Folder(tmp_path / "run", small_data).write(text)
    assert folder.run("-test") == 0, folder.said
    assert "the weights are those of the ONNX model" in folder.said
    assert len(onnx.load(model).graph.initializer) > 0
