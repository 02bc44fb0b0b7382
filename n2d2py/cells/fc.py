"""Fc: fully connected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from n2d2py.cells.base import Cost, Dims, Layout, WeightedCell
from n2d2py.cells.remapping import remapped
from n2d2py.kinds import boolean, names, one_of, real_between, word
from n2d2py.parameters import parameter
from n2d2py.parts.targets import Target
from n2d2py.registry import register


@register("cell", "Fc")
@dataclass(frozen=True, kw_only=True)
class Fc(WeightedCell):
    """y = W x + b on all inputs, flattened channel by channel and put one after the other."""

    normalize: bool = parameter("Normalize", boolean, False, "1: the weights of each output have L2 norm 1")
    drop_connect: float = parameter(
        "DropConnect", real_between(0, 1, low_open=True), 1.0, "share of the connections that is kept while learning"
    )
    weights_export_format: str = parameter(
        "WeightsExportFormat", one_of("OC", "CO"), "OC", "order of the values in the weight file"
    )
    outputs_remap: str = parameter("OutputsRemap", word, "", "order of the outputs in weight files, such as 2,0,1")
    weights_sharing: tuple[str, ...] = parameter(
        "WeightsSharing", names, (), "for each input the cell whose weights are used: cell or cell[its input]"
    )
    biases_sharing: str = parameter("BiasesSharing", word, "", "the cell whose biases are used")

    def __post_init__(self) -> None:
        remapped(self, "outputs_remap")

    @property
    def layout(self) -> Layout:
        return Layout(self.weights_export_format == "CO", order=remapped(self, "outputs_remap"))

    def with_plain_weights(self) -> Fc:
        return replace(self, no_bias=False, weights_quantizer=None, normalize=False)

    def doubts(self, target: Target) -> list[str]:
        found = super().doubts(target)
        if self.drop_connect < 1:
            drops = f"{self.name}, which drops connections: DropConnect={self.drop_connect:g}"
            found.append(f"target {target.name} is on {drops}")
        return found

    def outputs(self, inputs: Sequence[Dims]) -> Dims:
        return Dims(1, 1, self.nb_outputs)

    def cost(self, inputs: Sequence[Dims], output: Dims) -> Cost:
        synapses = self.nb_outputs * (sum(dims.size for dims in inputs) + (not self.no_bias))
        return Cost(
            neurons=output.size,
            nodes=output.size,
            synapses=synapses,
            virtual_synapses=synapses,
            connections=synapses,
        )
