"""Targets: what the output of a cell is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from n2d2py.errors import ParameterError
from n2d2py.kinds import boolean, integer, one_of, positive, real, real_between, text, unsigned, unsigned_real, word
from n2d2py.parameters import Record, parameter
from n2d2py.registry import register


@dataclass(frozen=True, kw_only=True)
class Target(Record):
    """A target of a cell; ``name`` is that of its section and of the folder of its results."""

    scores: ClassVar[bool] = False
    """Whether it says how good the network is when it is tested."""

    judges_learning: ClassVar[bool] = False
    """Whether it says so of the batches that are learned, too."""

    learns: ClassVar[bool] = True
    """Whether anything is learned from it."""

    wants_regions: ClassVar[bool] = False
    """Whether it needs the labelled regions of the stimuli."""

    absent: ClassVar[str] = ""
    """Why nothing can be learned from it or tested with it; empty if it can."""

    name: str
    cell: str
    target_value: float = parameter("TargetValue", real, 1.0, "wanted output of the target's neuron")
    default_value: float = parameter("DefaultValue", real, 0.0, "wanted output of all other neurons")
    loss: str = parameter(
        "Loss",
        one_of("SquaredError", "SquaredHinge"),
        "SquaredError",
        "what is learned: SquaredError: (y - wanted)^2 / 2, and behind a softmax with loss the cross-entropy; "
        "SquaredHinge: max(0, 1 - t y)^2, t = 1 for the target's neuron and -1 for all others",
    )
    top_n: int = parameter("TopN", positive, 1, "a stimulus succeeds if its label is among the N largest outputs")
    labels_mapping: str = parameter("LabelsMapping", text, "", "file that maps labels to outputs")
    create_missing_labels: bool = parameter(
        "CreateMissingLabels", boolean, False, "1: labels of the mapping that the database lacks are created"
    )
    binary_threshold: float = parameter("BinaryThreshold", real, 0.5, "with one output: class 1 above this value")
    value_threshold: float = parameter(
        "ValueThreshold", unsigned_real, 0.0, "the largest output is no answer below this value; 0: it always is one"
    )
    data_as_target: bool = parameter(
        "DataAsTarget",
        boolean,
        False,
        "1: the target data (TargetSize) are the target, without these the input itself",
    )
    no_display_label: int = parameter("NoDisplayLabel", integer, -1, "label that is not drawn")
    labels_hue_offset: int = parameter("LabelsHueOffset", integer, 0, "first hue of the labels on pictures")
    value_display: bool = parameter(
        "EstimatedLabelsValueDisplay", boolean, True, "1: pictures show the value of the estimated label"
    )
    mask_label_target: str = parameter("MaskLabelTarget", text, "", "another target whose estimate is the mask")
    masked_label: int = parameter(
        "MaskedLabel", integer, -1, "estimates count only where the mask's target estimates this label; -1: everywhere"
    )
    masked_label_value: bool = parameter(
        "MaskedLabelValue", boolean, False, "1: the value of an estimate outside the mask is 0"
    )
    weak_target: int = parameter(
        "WeakTarget", integer, -2, "label that yields to the next most frequent one of a macro-pixel; -2: none"
    )
    image_log_format: str = parameter("ImageLogFormat", word, "jpg", "file type of the pictures")

    distill: str = parameter(
        "Distill", text, "", "folder of weights of the network without quantizers, which teaches this one"
    )
    distill_share: float = parameter(
        "DistillShare", real_between(0, 1), 0.5, "share a of the loss that comes from the teacher, 1 - a from labels"
    )
    distill_temperature: float = parameter(
        "DistillTemperature", real_between(0, float("inf"), low_open=True), 4.0, "temperature T of both softmaxes"
    )

    @property
    def masks(self) -> bool:
        """Whether another target's estimate says where this one counts."""
        return bool(self.mask_label_target) and self.masked_label >= 0

    @property
    def refers_to(self) -> dict[str, str]:
        """Other targets that it needs, by the key that names them."""
        return {"MaskLabelTarget": self.mask_label_target} if self.mask_label_target else {}

    @property
    def cells(self) -> dict[str, str]:
        """Cells beside its own that it needs, by the key that names them."""
        return {}


@register("target", "Target")
@dataclass(frozen=True, kw_only=True)
class PlainTarget(Target):
    """A target that learns and does not score."""


@register("target", "TargetScore")
@dataclass(frozen=True, kw_only=True)
class TargetScore(Target):
    """Classification: recognition rate, confusion matrix and the metrics made from it."""

    scores: ClassVar[bool] = True
    judges_learning: ClassVar[bool] = True

    confusion_range_min: float = parameter("ConfusionRangeMin", real, 0.0, "lower end of regression's classes")
    confusion_range_max: float = parameter("ConfusionRangeMax", real, 1.0, "upper end of regression's classes")
    confusion_quant_steps: int = parameter("ConfusionQuantSteps", positive, 10, "number of regression's classes")

    def __post_init__(self) -> None:
        if self.confusion_range_max <= self.confusion_range_min:
            raise ParameterError(
                f"ConfusionRangeMin={self.confusion_range_min:g} is not below "
                f"ConfusionRangeMax={self.confusion_range_max:g}",
                place=self.places.get("confusion_range_min") or self.place("confusion_range_max"),
            )


@dataclass(frozen=True, kw_only=True)
class _RegionTarget(Target):
    """A target whose regions may take their labels from another one."""

    rois_label_target: str = parameter("ROIsLabelTarget", text, "", "target that gives the labels of regions")
    score_top_n: int = parameter("ScoreTopN", positive, 1, "a region succeeds if its label is among its N best")

    @property
    def refers_to(self) -> dict[str, str]:
        return super().refers_to | ({"ROIsLabelTarget": self.rois_label_target} if self.rois_label_target else {})


@register("target", "TargetROIs")
@dataclass(frozen=True, kw_only=True)
class TargetROIs(_RegionTarget):
    """Regions of one estimated label, found on an output with pixels, against the regions of the labels.

    It learns as every target of pixels does. In a test the connected pixels of one estimate are a region, that of the
    background (what stands for DefaultLabel; without it class 0 of a single output neuron) being none. Regions that
    are too small or of another shape are left out, and those of one label that lie close together become one. A region
    of the labels is found if one of the estimates overlaps its box by MinOverlap and has its label.
    """

    scores: ClassVar[bool] = True

    min_size: int = parameter("MinSize", unsigned, 0, "pixels of the smallest region that counts", unit="pixels")
    min_overlap: float = parameter(
        "MinOverlap", real_between(0, 1), 0.5, "intersection over union from which two regions are the same"
    )
    filter_min_height: int = parameter("FilterMinHeight", unsigned, 0, "height of the smallest region", unit="pixels")
    filter_min_width: int = parameter("FilterMinWidth", unsigned, 0, "width of the smallest region", unit="pixels")
    filter_min_aspect_ratio: float = parameter(
        "FilterMinAspectRatio", unsigned_real, 0.0, "smallest width / height of a region; 0: any"
    )
    filter_max_aspect_ratio: float = parameter(
        "FilterMaxAspectRatio", unsigned_real, 0.0, "largest width / height of a region; 0: any"
    )
    merge_max_h_dist: int = parameter(
        "MergeMaxHDist", unsigned, 1, "regions of one label merge up to this distance across", unit="pixels"
    )
    merge_max_v_dist: int = parameter(
        "MergeMaxVDist", unsigned, 1, "regions of one label merge up to this distance down", unit="pixels"
    )
    generate_labels_rois: bool = parameter(
        "GenerateLabelsROIs",
        boolean,
        True,
        "1: regions of the labels are found as those of the estimates are; 0: they are those of the database",
    )


@register("target", "TargetAggregate")
@dataclass(frozen=True, kw_only=True)
class TargetAggregate(_RegionTarget):
    """One estimate for each region, gathered from the pixels in it."""

    absent: ClassVar[str] = "regions of whole stimuli are not handed to targets"


@register("target", "TargetRP")
@dataclass(frozen=True, kw_only=True)
class TargetRP(Target):
    """Classes or boxes of the regions that an RP cell proposes (Ren et al. 2015, arXiv:1506.01497; Girshick 2015).

    A proposal belongs to the labelled region that it overlaps most, if by MinOverlap at least, else to the background.
    Cls: its class is learned, 0 being the background and the labels the others in their order (or as LabelsMapping
    says; DefaultLabel is the background). BBox: of proposals that belong to a region the offsets to it, four
    values for each class (or four for all), by the smooth L1 error times LossLambda; those of a Proposal cell
    behind are scaled as its MeansFactor and StdFactor say. Both are divided by the number of proposals.
    """

    wants_regions: ClassVar[bool] = True

    target_type: str = parameter("TargetType", one_of("Cls", "BBox"), "Cls", "what is learned of a region")
    proposals: str = parameter("RP", text, "", "the RP cell that proposes regions; by default the one before the cell")
    anchors: str = parameter("Anchor", text, "", "the Anchor cell that finds them")
    min_overlap: float = parameter(
        "MinOverlap", real_between(0, 1), 0.5, "overlap from which a proposal belongs to a region"
    )
    loss_lambda: float = parameter("LossLambda", unsigned_real, 1.0, "weight of the boxes' error")

    @property
    def cells(self) -> dict[str, str]:
        named = {"RP": self.proposals, "Anchor": self.anchors}
        return {key: cell for key, cell in named.items() if cell}


@register("target", "TargetBBox")
@dataclass(frozen=True, kw_only=True)
class TargetBBox(Target):
    """Boxes of an ObjectDet, Proposal or RP cell against the labelled regions; nothing is learned from it.

    Of the boxes in the order of their scores each takes the region of its class that it overlaps most and that no
    other has taken, if by 0.5 at least (Everingham et al. 2010). The recognition rate is the share of regions that are
    found. Classes are those of the Anchor cell; behind a Proposal cell they are those of TargetRP.

    With GenerateAnchors=1 a run writes ``anchors.json`` into the folder of the target: NbAnchors heights and widths for
    AnchorJSON of an Anchor cell, from the learning set, by k-means with the distance 1 - IoU (Redmon and Farhadi 2017,
    arXiv:1612.08242, section 2).
    """

    scores: ClassVar[bool] = True
    learns: ClassVar[bool] = False
    wants_regions: ClassVar[bool] = True

    generate_anchors: bool = parameter(
        "GenerateAnchors", boolean, False, "1: anchors are made from the data and written to anchors.json"
    )
    nb_anchors: int = parameter("NbAnchors", positive, 6, "how many anchors are made")
    nb_iter: int = parameter("NbIter", positive, 1_000_000, "iterations of the clustering that makes them, at most")
    nb_class: int = parameter("NbClass", positive, 1, "how many classes of boxes; the cell says")


@register("target", "TargetMatching")
@dataclass(frozen=True, kw_only=True)
class TargetMatching(Target):
    """Distances between the outputs of pairs of stimuli: the same label or not."""

    absent: ClassVar[str] = "pairs of stimuli are not drawn"

    distance: str = parameter("Distance", one_of("L1", "L2"), "L2", "distance of two outputs")
    roc_nb_steps: int = parameter("ROC_NbSteps", positive, 5, "refinements of the curve of false and true matches")
    roc_precision: float = parameter("ROC_Precision", unsigned_real, 1e-3, "precision of the curve's thresholds")
    target_far: float = parameter("TargetFAR", real_between(0, 1), 1e-3, "rate of false matches that is aimed at")


@register("target", "TargetCompare")
@dataclass(frozen=True, kw_only=True)
class TargetCompare(Target):
    """The output against data that a file gives for each stimulus."""

    absent: ClassVar[str] = "data of a target's own are not read"
