"""Targets: what the output of a cell is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from n2d2py.kinds import boolean, integer, positive, real, text, unsigned, word
from n2d2py.parameters import Record, check_available, parameter
from n2d2py.registry import register


@dataclass(frozen=True, kw_only=True)
class Target(Record):
    """A target of a cell; ``name`` is that of its section and of the folder of its results."""

    name: str
    cell: str
    target_value: float = parameter("TargetValue", real, 1.0, "wanted output of the target's neuron")
    default_value: float = parameter("DefaultValue", real, 0.0, "wanted output of all other neurons")
    top_n: int = parameter("TopN", positive, 1, "a stimulus succeeds if its label is among the N largest outputs")
    labels_mapping: str = parameter("LabelsMapping", text, "", "file that maps labels to outputs")
    create_missing_labels: bool = parameter(
        "CreateMissingLabels", boolean, False, "1: labels of the mapping that the database lacks are created"
    )
    binary_threshold: float = parameter("BinaryThreshold", real, 0.5, "with one output: class 1 above this value")
    value_threshold: float = parameter("ValueThreshold", real, 0.0, "outputs below count as no answer")
    data_as_target: bool = parameter("DataAsTarget", boolean, False, "1: the input itself is the target")
    no_display_label: int = parameter("NoDisplayLabel", integer, -1, "label that is not drawn")
    labels_hue_offset: int = parameter("LabelsHueOffset", integer, 0, "first hue of the labels on pictures")
    value_display: bool = parameter(
        "EstimatedLabelsValueDisplay", boolean, True, "1: pictures show the value of the estimated label"
    )
    mask_label_target: str = parameter("MaskLabelTarget", text, "", "another target whose estimate is the mask")
    masked_label: int = parameter("MaskedLabel", integer, -1, "label of the mask target that counts")
    masked_label_value: bool = parameter("MaskedLabelValue", boolean, False, "1: values are masked too")
    rois_label_target: str = parameter("ROIsLabelTarget", text, "", "target that gives the labels of regions")
    weak_target: int = parameter("WeakTarget", integer, -2, "label that yields to any other of a macro-pixel")
    image_log_format: str = parameter("ImageLogFormat", word, "jpg", "file type of the pictures")

    def __post_init__(self) -> None:
        check_available(self, "value_threshold", "mask_label_target", "masked_label", "masked_label_value")
        check_available(self, "rois_label_target", "weak_target")


@register("target", "TargetScore")
@dataclass(frozen=True, kw_only=True)
class TargetScore(Target):
    """Classification: recognition rate, confusion matrix and the metrics made from it."""

    confusion_range_min: float = parameter("ConfusionRangeMin", real, 0.0, "lower end of regression's classes")
    confusion_range_max: float = parameter("ConfusionRangeMax", real, 1.0, "upper end of regression's classes")
    confusion_quant_steps: int = parameter("ConfusionQuantSteps", unsigned, 10, "number of regression's classes")


@register("target", "Target")
@dataclass(frozen=True, kw_only=True)
class PlainTarget(Target):
    """A target that learns and does not score."""
