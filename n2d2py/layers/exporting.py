"""A torch module as an ONNX file, so that its nodes can become cells."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import torch
from torch import nn

from n2d2py.errors import GraphError

OPSET = 17


def export(module: nn.Module, input_shape: tuple[int, ...], path: Path) -> None:
    """Write the module, in the mode of evaluation, as a model of any number of stimuli of ``input_shape``.

    BatchNorm is not merged into what comes before it, and Dropout stays. The module itself is left as it is. Raises
    :class:`GraphError` if torch cannot export it.
    """
    exported = copy.deepcopy(module).cpu().eval()
    for part in exported.modules():
        # The exporter leaves out a Dropout at rest.
        part.training = isinstance(part, nn.modules.dropout._DropoutNd)
    x = torch.zeros(1, *input_shape)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                exported,
                (x,),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                training=torch.onnx.TrainingMode.PRESERVE,
                input_names=["stimuli"],
                output_names=["output"],
                dynamic_axes={"stimuli": {0: "count"}, "output": {0: "count"}},
            )
    except Exception as error:  # whatever the module or the exporter raises
        raise GraphError(
            f"torch cannot export {type(module).__name__}: {error}",
            expected=f"a module that takes a float tensor of shape (count, {', '.join(map(str, input_shape))})",
        ) from error
