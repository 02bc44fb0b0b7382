"""Activations, fillers, targets and the provider: names, defaults, and what cannot be."""

from __future__ import annotations

import pytest

from n2d2py import ini, parts, registry
from n2d2py.errors import ParameterError
from n2d2py.parameters import declarations, read
from n2d2py.parts.provider import Provider
from tests.parts.reading import part

ROOMS = (parts,)
PARTS = ("activation", "activation quantizer", "filler", "solver", "target", "weight quantizer")


@pytest.mark.parametrize("kind", PARTS)
def test_every_parameter_has_a_meaning_and_every_default_its_text(kind: str) -> None:
    for name in registry.names(kind):
        entry = registry.find(kind, name)
        assert entry.__doc__
        for field, declaration in declarations(entry).items():
            assert declaration.meaning, f"{name}.{field}"
            assert declaration.type_name
            if declaration.default is not None and declaration.default != "" and declaration.key != "Value":
                assert isinstance(declaration.format(declaration.default), str)


def test_activations() -> None:
    assert registry.names("activation") == [
        *("Linear", "Logistic", "LogisticWithLoss", "Rectifier", "Saturation", "Softplus", "Swish", "Tanh", "TanhLeCun")
    ]
    rectifier = part("activation", "Rectifier")
    assert (rectifier.leak_slope, rectifier.clipping) == (0.0, 0.0)
    assert part("activation", "Rectifier", "Clipping=6").clipping == 6.0
    assert part("activation", "Saturation").threshold == 1.0
    assert part("activation", "Tanh").alpha == 1.0
    assert part("activation", "TanhLeCun").label() == "TanhLeCun"


def test_fillers() -> None:
    assert registry.names("filler") == ["ConstantFiller", "HeFiller", "NormalFiller", "UniformFiller", "XavierFiller"]
    normal = part("filler", "NormalFiller")
    assert (normal.mean, normal.std_dev) == (0.0, 1.0)
    he = part("filler", "HeFiller", "VarianceNorm=FanOut|Scaling=0.5")
    assert (he.variance_norm, he.mean_norm, he.scaling) == ("FanOut", 0.0, 0.5)
    xavier = part("filler", "XavierFiller")
    assert (xavier.variance_norm, xavier.distribution, xavier.scaling) == ("FanIn", "Uniform", 1.0)
    uniform = part("filler", "UniformFiller", "Min=-2")
    assert (uniform.low, uniform.high) == (-2.0, 1.0)


def test_a_constant_needs_its_value() -> None:
    assert part("filler", "ConstantFiller", "Value=0.1").value == 0.1
    with pytest.raises(ParameterError, match="missing key Value"):
        part("filler", "ConstantFiller")


def test_a_filler_that_is_misspelt() -> None:
    with pytest.raises(ParameterError, match="did you mean HeFiller"):
        part("filler", "HeFilller")


def test_targets() -> None:
    assert registry.names("target") == ["Target", "TargetScore"]
    target = part("target", "TargetScore")
    assert (target.target_value, target.default_value, target.top_n, target.labels_mapping) == (1.0, 0.0, 1, "")
    assert (target.binary_threshold, target.masked_label, target.no_display_label) == (0.5, -1, -1)
    assert part("target", "TargetScore", "ConfusionQuantSteps=20").confusion_quant_steps == 20


@pytest.mark.parametrize("line", ["WeakTarget=0", "MaskLabelTarget=mask.Target", "ValueThreshold=0.5", "MaskedLabel=1"])
def test_what_a_target_cannot_do_is_refused(line: str) -> None:
    with pytest.raises(ParameterError, match=f"{line} is not available in this version of n2d2py"):
        part("target", "TargetScore", line)


# ------------------------------------------------------------------------------------------------- provider


def provider(lines: str) -> Provider:
    return read(Provider, ini.loads("[sp]\n" + "\n".join(lines.split("|")) + "\n", file="net.ini").scope("sp"))


def test_provider_sizes() -> None:
    assert provider("SizeX=32|SizeY=24|NbChannels=3|BatchSize=256").dims == (32, 24, 3)
    assert provider("SizeX=32|SizeY=24").dims == (32, 24, 1)
    assert provider("Size=32 24 3").dims == (32, 24, 3)
    assert provider("Size=32 24 7 3").dims == (32, 24, 3)
    assert provider("SizeX=1|SizeY=1").batch_size == 1


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("SizeY=3", "missing key SizeX"),
        ("SizeX=3", "missing key SizeY"),
        ("Size=3 3", "Size has 2 values"),
        ("SizeX=0|SizeY=1", "unreadable value '0' for SizeX"),
        ("SizeX=28*2|SizeY=1", r"write an expression as \$\("),
    ],
)
def test_provider_sizes_that_cannot_be(lines: str, text: str) -> None:
    with pytest.raises(ParameterError, match=text) as error:
        provider(lines)
    assert "net.ini:" in str(error.value)
