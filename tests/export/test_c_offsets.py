"""A sum with its own shift in each channel, and a rescaling with its own bias, in C."""

from __future__ import annotations

import pytest

from n2d2py.export import verification
from n2d2py.export.executors import CProgram

from .made import made

CONV = (
    "Input=sp\nType=Conv\nNbOutputs=4\nKernelSize=3\nQWeight=SAT\nActivationFunction=Linear\nQAct=SAT\nQAct.Alpha={}\n"
)


@pytest.mark.skipif(CProgram.missing() is not None, reason="needs a C compiler with make")
def test_shifts_of_each_channel_beside_biases_of_each_channel() -> None:
    text = (
        f"DefaultModel=Frame\n[sp]\nSize=8 8 2\nBatchSize=4\n[c]\n{CONV.format(2)}[d]\n{CONV.format(3)}"
        "[s]\nInput=c,d\nType=ElemWise\nNbOutputs=4\nCoeffMode=PerChannel\nWeights=1 0.5 2 0.1\nShifts=0 1 0.5 -1\n"
        "ActivationFunction=Linear\nQAct=LSQ\nQAct.Signed=1\n[fc]\nInput=s\nType=Fc\nNbOutputs=3\nQWeight=SAT\n"
    )
    learned, export, batch = made(text, 2, 1)
    assert verification.compare(learned, export, [batch], ["C"], required=True).all_equal
