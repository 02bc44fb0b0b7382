"""The text of networks with a memory, for the tests of integers and exports."""

from __future__ import annotations

STEPS, HIDDEN = 4, 3

QUANTIZERS = {"QInput": 6, "QGateAcc": 8, "QSigmoid": 5, "QTanh": 6, "QState": 7, "QOutput": 5}


def text(
    kind: str = "LSTM",
    layers: int = 1,
    both: int = 0,
    last: int = 1,
    quantizer: str = "FixedPoint",
    power: int = 1,
    bits: dict[str, int] | None = None,
    more: str = "",
) -> str:
    """A cell on sequences of four steps of six values, and a layer behind it."""
    scale = f".PowerOfTwo={power}" if quantizer == "FixedPoint" else ""
    lines = [
        "DefaultModel=Frame\n[env]\nSize=2 4 3\nBatchSize=4",
        f"[c]\nType={kind}\nInput=env\nSeqLength={STEPS}\nBatchSize=4\nInputDim=6\nNumberLayers={layers}",
        f"HiddenSize={HIDDEN}\nBidirectional={both}\nSingleBackpropFeeding={last}",
        "AllGatesWeightsFiller=UniformFiller\nAllGatesWeightsFiller.Min=-1\nAllGatesWeightsFiller.Max=1",
        "AllGatesBiasFiller=NormalFiller\nAllGatesBiasFiller.StdDev=0.3",
        f"QWeight={quantizer}\nQWeight.Range=15",
    ]
    if scale:
        lines.append(f"QWeight{scale}")
    for key, count in (bits or QUANTIZERS).items():
        lines.append(f"{key}={quantizer}\n{key}.Range={2**count - 1}")
        lines += [f"{key}{scale}"] if scale else []
        lines += [f"{key}.Signed=1"] if key not in ("QSigmoid", "QInput") else []
    lines.append(more)
    lines.append("[fc]\nType=Fc\nInput=c\nNbOutputs=3\nQWeight=SAT\nQWeight.Range=15\nQWeight.ApplyScaling=1")
    return "\n".join(lines)
