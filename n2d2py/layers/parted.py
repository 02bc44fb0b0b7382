"""Parts and templates of objects: those of each class out of a row of all, and where the parts of a box lie."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def by_class(values: Tensor, counts: Sequence[int]) -> Tensor:
    """(n, classes, most, ..) of values (n, sum of ``counts``, ..): class c has ``counts[c]`` of them, zeros fill up.

    >>> by_class(torch.tensor([[1, 2, 3]]), (1, 2)).tolist()
    [[[1, 0], [2, 3]]]
    """
    most = max(counts)
    own = values.split(list(counts), 1)
    return torch.stack([torch.cat([x, x.new_zeros(len(x), most - x.shape[1], *x.shape[2:])], 1) for x in own], 1)


def located(boxes: Tensor, parts: Tensor, counts: Tensor) -> Tensor:
    """Parts (.., most, 2 or more: px, py, ..) at x + px w, y + py h of boxes (.., 4), the rest as it is.

    Only the first of them, as ``counts`` (..) says, exist; the others have zeros for places.
    """
    places = boxes[..., None, :2] + parts[..., :2] * boxes[..., None, 2:4]
    exist = torch.arange(parts.shape[-2], device=parts.device) < counts[..., None]
    return torch.cat([torch.where(exist[..., None], places, 0.0), parts[..., 2:]], -1)
