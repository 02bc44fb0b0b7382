"""The two INI files of the ResNet-18 tutorial: weights clamped, then 4 bits with 8 in the first and last layer."""

from __future__ import annotations

ACTIVATIONS = (
    "resnetv15_relu0_fwd",
    *(
        f"resnetv15_stage{stage}_{name}"
        for stage in range(1, 5)
        for name in ("relu0_fwd", "activation0", "relu1_fwd", "activation1")
    ),
)

_SOLVER = """{0}LearningRatePolicy=CosineDecay
{0}LearningRate=0.05
{0}Momentum=0.9
{0}Decay=0.00004
{0}MaxIterations=192175050; 150 epochs of 1281167 images
{0}IterationSize=2 ; two batches of 128 an update
"""

_HEAD = """DefaultModel=Frame_CUDA
[sp]
SizeX={size}
SizeY={size}
NbChannels=3
BatchSize=128
"""

_DEFINITIONS = """
[onnx:Conv_def]
QWeight=SAT
QWeight.ApplyScaling=0  ; each convolution is followed by a batch normalisation
{quantization}
WeightsFiller=XavierFiller
WeightsFiller.VarianceNorm=FanOut
WeightsFiller.Scaling=1.0
ConfigSection=conv.config

[conv.config]
NoBias=1
{solvers}
[onnx:Fc_def]
QWeight=SAT
QWeight.ApplyScaling=1
{quantization}
WeightsFiller=XavierFiller
WeightsFiller.VarianceNorm=FanOut
WeightsFiller.Scaling=1.0
ConfigSection=fc.config

[fc.config]
NoBias=0
{solvers}
[onnx:BatchNorm_def]
ConfigSection=bn_train.config

[bn_train.config]
{solvers}
"""

_TAIL = """
[onnx]
Input=sp
Type=ONNX
File={file}
ONNX_init={init}

[soft1]
Input=resnetv15_dense0_fwd
Type=Softmax
NbOutputs={outputs}
WithLoss=1

[soft1.Target]
"""

_RELU = """
[ReluQ_def]
ActivationFunction=Linear ; the quantizer has the non-linearity
QAct=SAT
QAct.Range=15
QActSolver=SGD
{solvers}
"""

_EIGHT_BITS = """
[resnetv15_conv0_fwd]onnx:Conv_def
QWeight.Range=255

[resnetv15_dense0_fwd]onnx:Fc_def
QWeight.Range=255
"""


def clamp_ini(file: str, size: int = 224, outputs: int = 1000, init: int = 0) -> str:
    """The INI file of the first stage."""
    definitions = _DEFINITIONS.format(
        quantization="QWeight.ApplyQuantization=0 ; clamp only", solvers=_SOLVER.format("Solvers.")
    )
    return _HEAD.format(size=size) + definitions + _TAIL.format(file=file, outputs=outputs, init=init)


def quantized_ini(file: str, size: int = 224, outputs: int = 1000) -> str:
    """The INI file of the second stage."""
    definitions = _DEFINITIONS.format(
        quantization="QWeight.ApplyQuantization=1\nQWeight.Range=15", solvers=_SOLVER.format("Solvers.")
    )
    relus = _RELU.format(solvers=_SOLVER.format("QActSolver."))
    relus += "".join(f"[{name}]ReluQ_def\n" for name in ACTIVATIONS)
    tail = _TAIL.format(file=file, outputs=outputs, init=0)
    return _HEAD.format(size=size) + definitions + relus + _EIGHT_BITS + tail
