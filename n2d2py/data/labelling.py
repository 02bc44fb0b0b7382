"""The labels of one stimulus: one for the whole image, or one a pixel, painted from its regions."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from n2d2py import console
from n2d2py.data.frame import IGNORE
from n2d2py.data.rois import Roi


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


@cache
def warn_of_clipping(name: str) -> None:
    """Say once that the region of a stimulus is partly outside of its image."""
    console.warning(f"the region of {name} is partly outside of its image: it is clipped")
