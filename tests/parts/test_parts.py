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
        *("Celu", "Clamp", "Elu", "Gelu", "HardSigmoid", "HardSwish", "Linear", "Logistic", "LogisticWithLoss", "Mish"),
        *("Rectifier", "Saturation", "Selu", "Softplus", "Softsign", "Swish", "Tanh", "TanhLeCun"),
    ]
    rectifier = part("activation", "Rectifier")
    assert (rectifier.leak_slope, rectifier.clipping) == (0.0, 0.0)
    assert part("activation", "Rectifier", "Clipping=6").clipping == 6.0
    assert part("activation", "Saturation").threshold == 1.0
    assert part("activation", "Tanh").alpha == 1.0
    assert part("activation", "TanhLeCun").label() == "TanhLeCun"


def test_bounds_of_a_clamp() -> None:
    clamp = part("activation", "Clamp", "Low=-0.5|High=3e38")
    assert clamp.bounds == (-0.5, None)
    assert clamp.reaches_below_zero
    assert not part("activation", "Clamp", "Low=0.5").reaches_below_zero
    with pytest.raises(ParameterError, match="Clamp has Low=2 above High=1") as caught:
        part("activation", "Clamp", "Low=2")
    assert caught.value.expected == "Low of at most High"


def test_parameters_that_make_no_function() -> None:
    with pytest.raises(ParameterError, match="Softplus has Alpha=0"):
        part("activation", "Softplus", "Alpha=0")
    with pytest.raises(ParameterError, match="Alpha"):
        part("activation", "Celu", "Alpha=0")
    with pytest.raises(ParameterError, match="Approximate"):
        part("activation", "Gelu", "Approximate=Sigmoid")


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


def test_a_constant_without_its_value_is_zero(caplog: pytest.LogCaptureFixture) -> None:
    assert part("filler", "ConstantFiller", "Value=0.1").value == 0.1
    assert caplog.text == ""
    assert part("filler", "ConstantFiller").value == 0.0
    assert "ConstantFiller without Value: every value is 0" in caplog.text


def test_a_filler_that_is_misspelt() -> None:
    with pytest.raises(ParameterError, match="did you mean HeFiller"):
        part("filler", "HeFilller")


def test_targets() -> None:
    assert registry.names("target") == [
        *("Target", "TargetAggregate", "TargetBBox", "TargetCompare", "TargetMatching", "TargetROIs", "TargetRP"),
        "TargetScore",
    ]
    target = part("target", "TargetScore")
    assert (target.target_value, target.default_value, target.top_n, target.labels_mapping) == (1.0, 0.0, 1, "")
    assert (target.binary_threshold, target.masked_label, target.no_display_label) == (0.5, -1, -1)
    assert (target.value_threshold, target.weak_target, target.image_log_format) == (0.0, -2, "jpg")
    assert part("target", "TargetScore", "ConfusionQuantSteps=20").confusion_quant_steps == 20


def test_what_targets_score_and_what_they_cannot() -> None:
    kinds = {name: registry.find("target", name) for name in registry.names("target")}
    assert [name for name, kind in kinds.items() if kind.scores] == ["TargetBBox", "TargetROIs", "TargetScore"]
    assert [name for name, kind in kinds.items() if kind.judges_learning] == ["TargetScore"]
    assert [name for name, kind in kinds.items() if not kind.learns] == ["TargetBBox"]
    runs = [name for name, kind in kinds.items() if not kind.absent]
    assert runs == ["Target", "TargetBBox", "TargetROIs", "TargetRP", "TargetScore"]


def test_parameters_of_regions_and_boxes() -> None:
    regions = part("target", "TargetROIs", "FilterMinAspectRatio=0.5|MergeMaxVDist=3")
    assert (regions.min_size, regions.min_overlap, regions.score_top_n) == (0, 0.5, 1)
    assert (regions.filter_min_aspect_ratio, regions.merge_max_h_dist, regions.merge_max_v_dist) == (0.5, 1, 3)
    assert part("target", "TargetROIs", "ROIsLabelTarget=a.Target").refers_to == {"ROIsLabelTarget": "a.Target"}
    proposed = part("target", "TargetRP", "TargetType=BBox|RP=rp|Anchor=anchor")
    assert proposed.cells == {"RP": "rp", "Anchor": "anchor"}
    assert (proposed.min_overlap, proposed.loss_lambda) == (0.5, 1.0)
    assert part("target", "TargetBBox", "GenerateAnchors=1").generate_anchors
    boxes = part("target", "TargetBBox")
    assert (boxes.generate_anchors, boxes.nb_anchors, boxes.nb_iter, boxes.nb_class) == (False, 6, 1000000, 1)
    matching = part("target", "TargetMatching")
    assert (matching.distance, matching.roc_nb_steps, matching.roc_precision, matching.target_far) == (
        *("L2", 5),
        *(1e-3, 1e-3),
    )
    assert part("target", "TargetAggregate", "ScoreTopN=2").score_top_n == 2


def test_masks() -> None:
    assert part("target", "TargetScore", "MaskLabelTarget=m.Target|MaskedLabel=0").masks
    assert not part("target", "TargetScore", "MaskLabelTarget=m.Target").masks
    assert part("target", "TargetScore", "MaskLabelTarget=m.Target").refers_to == {"MaskLabelTarget": "m.Target"}


def test_a_scale_of_values_that_is_none() -> None:
    with pytest.raises(ParameterError, match="ConfusionRangeMin=2 is not below ConfusionRangeMax=1"):
        part("target", "TargetScore", "ConfusionRangeMin=2")


# ------------------------------------------------------------------------------------------------- provider


def provider(lines: str) -> Provider:
    return read(Provider, ini.loads("[sp]\n" + "\n".join(lines.split("|")) + "\n", file="net.ini").scope("sp"))


def test_provider_sizes() -> None:
    assert provider("SizeX=32|SizeY=24|NbChannels=3|BatchSize=256").dims == (32, 24, 3)
    assert provider("SizeX=32|SizeY=24").dims == (32, 24, 1)
    assert provider("Size=32 24 3").dims == (32, 24, 3)
    assert provider("Size=32 24 7 3").dims == (32, 24, 3)
    assert provider("SizeX=1|SizeY=1").batch_size == 1


def test_depth_and_data_of_targets() -> None:
    assert provider("SizeX=4|SizeY=5").depth == 1
    assert provider("SizeX=4|SizeY=5|SizeD=6").depth == 6
    assert provider("Size=4 5 6 2").depth == 6
    assert provider("SizeX=4|SizeY=5").target_dims is None
    assert provider("SizeX=4|SizeY=5|TargetSizeX=2").target_dims == (2, 1, 1, 1)
    assert provider("SizeX=4|SizeY=5|TargetSize=2 3 4").target_dims == (2, 3, 4, 1)
    assert provider("SizeX=4|SizeY=5|TargetSize=2 3 7 4").target_dims == (2, 3, 4, 7)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("SizeX=3|SizeY=1|TargetSize=3", "TargetSize has 1 values"),
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
