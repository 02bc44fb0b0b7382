"""The labels of one stimulus: one for the whole image, or one a pixel, painted from its regions."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.frame import IGNORE
from n2d2py.data.rois import Roi
from n2d2py.errors import DataError, Place


def labels_of(
    label: int,
    rois: tuple[Roi, ...],
    size: tuple[int, int],
    mode: str,
    default: int = IGNORE,
    margin: int = 0,
) -> NDArray[np.int32]:
    """The labels of a stimulus: int32, (1, 1), or (height, width) = ``size`` for a composite one.

    ========  ==================================================  ==============
    mode      label of a pixel outside all regions                regions count
    ========  ==================================================  ==============
    None      one label for the image                             no
    Auto      ``default`` for a stimulus of label -1, else one    if label is -1
              label for the image
    Default   ``default``                                         yes
    Disjoint  ``label`` without regions, else ``default``         yes
    Combine   ``label``                                           yes
    ========  ==================================================  ==============

    Later regions cover earlier ones. A ring of ``margin`` pixels around each is ignored where it shows the default.
    """
    if mode == "None" or (mode == "Auto" and label != IGNORE):
        return np.array(((label,),), np.int32)
    takes_default = mode in ("Auto", "Default") or (mode == "Disjoint" and rois)
    labels = np.full(size, default if takes_default else label, np.int32)
    for roi in rois:
        if margin:
            before = labels.copy()
            roi.paint(labels, IGNORE, margin)
            labels = np.where(before == default, labels, before)
        roi.paint(labels, roi.label)
    return labels


def cropped_to_region(image: NDArray[Any], label: int, rois: tuple[Roi, ...], name: str) -> tuple[NDArray[Any], int]:
    """The part of an image (height, width, channels) in the box of its one labelled region, and the label of that.

    Without one they are the whole image and ``label``. Raises :class:`DataError` that names the stimulus, ``name``, if
    there are several, or the region is elsewhere.
    """
    labelled = [roi for roi in rois if roi.label >= 0]
    if len(labelled) > 1:
        raise DataError(
            f"the stimulus has {len(labelled)} regions with a label, of which none is the one that it shows",
            place=Place(file=name),
            expected="one region, as CompositeLabel=Auto crops a labelled stimulus to it",
            remedy="CompositeLabel=Disjoint for a label a pixel, or CompositeLabel=None for the whole image",
        )
    if not labelled:
        return image, label
    height, width = image.shape[:2]
    left, top, right, bottom = labelled[0].box()
    inside = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise DataError(
            f"the region of the stimulus, {left},{top} to {right},{bottom}, is not inside its image "
            f"of {width}x{height} pixels",
            place=Place(file=name),
            remedy="are the coordinates those of this image?",
        )
    if inside != (left, top, right, bottom):
        _warn_of_clipping(name)
    return image[inside[1] : inside[3], inside[0] : inside[2]], labelled[0].label


@cache
def _warn_of_clipping(name: str) -> None:
    """Say once that the region of a stimulus is partly outside of its image."""
    console.warning(f"the region of {name} is partly outside of its image: it is clipped")
