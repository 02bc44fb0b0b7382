"""The keys of N2D2's sections and their defaults: each is known here, under its name, with that default.

Files that say nothing rely on a default, so that a change of one changes their results without a word.
"""

from __future__ import annotations

import pytest

from n2d2py import catalogue

_GEOMETRY = "StrideDims='1 1' PaddingDims='0 0'"
_CONV = (
    f"NbOutputs=required KernelDims=required {_GEOMETRY} DilationDims='1 1' WeightsFiller=NormalFiller "
    "BiasFiller=NormalFiller WeightsSharing= BiasesSharing= Kernel= NoBias=0 BackPropagate=1 WeightsExportFormat=OCHW "
    "WeightsExportFlip=0 OutputsRemap= WeightsSolver=SGD BiasSolver=SGD ActivationFunction="
)
_TARGET = (
    "TargetValue=1 DefaultValue=0 TopN=1 LabelsMapping= CreateMissingLabels=0 MaskLabelTarget= DataAsTarget=0 "
    "NoDisplayLabel=-1 LabelsHueOffset=0 EstimatedLabelsValueDisplay=1 MaskedLabel=-1 MaskedLabelValue=0 "
    "BinaryThreshold=0.5 ValueThreshold=0 ImageLogFormat=jpg WeakTarget=-2"
)

KEYS = {
    "cell Conv": _CONV + " SubSampleDims='1 1'",
    "cell Deconv": _CONV,
    "cell Fc": "NbOutputs=required ActivationFunction= WeightsFiller=NormalFiller BiasFiller=NormalFiller NoBias=0 "
    "Normalize=0 BackPropagate=1 WeightsExportFormat=OC OutputsRemap= DropConnect=1",
    "cell Pool": f"NbOutputs=required Pooling=required PoolDims=required {_GEOMETRY} ActivationFunction=",
    "cell Unpool": f"NbOutputs=required ArgMax=required PoolDims=required {_GEOMETRY} ActivationFunction=",
    "cell BatchNorm": "NbOutputs=required ActivationFunction= ScalesSharing= BiasesSharing= MeansSharing= "
    "VariancesSharing= Epsilon=1e-05 MovingAverageMomentum=0.1 BackPropagate=1 ScaleSolver=SGD BiasSolver=SGD",
    "cell Dropout": "NbOutputs=required Dropout=0.5",
    "cell Softmax": "NbOutputs=required WithLoss=0 GroupSize=0",
    "cell ElemWise": "NbOutputs=required Weights= Shifts= CoeffMode=PerInput ActivationFunction=",
    "cell Activation": "NbOutputs=required",
    "cell LRN": "NbOutputs=required N=5 Alpha=0.0001 Beta=0.75 K=2",
    "cell Resize": "NbOutputs=required OutputWidth=required OutputHeight=required Mode=required AlignCorners=1",
    "cell Reshape": "NbOutputs=required Dims=required",
    "cell Transpose": "NbOutputs=required Perm=required",
    "cell Threshold": "NbOutputs=required Threshold=required Operation=Binary MaxValue=1",
    "cell Scaling": "NbOutputs=required Factor=required",
    "cell Normalize": "NbOutputs=required Norm=required",
    "cell TargetBias": "NbOutputs=required Bias=required",
    "cell Distance": "NbOutputs=required Margin=required CenterCoef=required EndRampIT=0",
    "cell FMP": "NbOutputs=required ScalingRatio=required Overlapping=1 PseudoRandom=1 ActivationFunction=",
    "section [ONNX cell]": "File=required Ignore= IgnoreInputSize=0 Transpose=0 CNTK=0 ONNX_init=1",
    "section globals": "DefaultDataType=Float32 InsertBatchNormAfterConv=0 CheckWeightRange=1 ProgramMethod=Ideal",
    "section [sp]": "Size= SizeX= SizeY= SizeD= NbChannels=1 BatchSize=1 CompositeStimuli=0 CachePath= TargetSize= "
    "TargetSizeX= TargetSizeY= TargetSizeD= TargetNbChannels=1 ConfigSection= DataSignedMapping=0 "
    "QuantizationLevels=0 QuantizationMin=0 QuantizationMax=1 StreamTensor=0 StreamLabel=0",
    "section [sp.StimuliData]": "ApplyTo=All LogSizeRange=0 LogValueRange=0 MeanData=0 StdDevData=0",
    "section [database.sortAndDropLabels]": "NbKeep=required Ascending=1",
    "section [database.filterROIs]": "Labels=required FilterKeep=1 RemoveStimuli=1",
    "section [database.slicing]": "Width=required Height=required StrideX=required StrideY=required "
    "ApplyTo=required RandomShuffle=1 Overlapping=0",
    "activation Linear": "Clipping=0",
    "activation Rectifier": "LeakSlope=0 Clipping=0",
    "activation Tanh": "Alpha=1",
    "activation Saturation": "Threshold=1",
    "activation quantizer LSQ": "Range=255 StepSize=100 SetOptInitStepSize=1",
    "activation quantizer SAT": "Range=255 Alpha=8",
    "weight quantizer LSQ": "Range=255 QuantMode=Default StepSize=100 SetOptInitStepSize=1",
    "weight quantizer SAT": "Range=255 QuantMode=Default ApplyQuantization=1 ApplyScaling=0",
    "weight quantizer Prune": "PruningMode=Identity PruningFiller=Random Threshold=0.2 Delta=0.001 "
    "StartThreshold=0.1 StepSizeThreshold=0 GammaThreshold=0.05",
    "filler HeFiller": "VarianceNorm=FanIn MeanNorm=0 Scaling=1",
    "filler XavierFiller": "VarianceNorm=FanIn Distribution=Uniform Scaling=1",
    "filler NormalFiller": "Mean=0 StdDev=1",
    "filler UniformFiller": "Min=0 Max=1",
    "target Target": _TARGET,
    "target TargetScore": _TARGET + " ConfusionRangeMin=0 ConfusionRangeMax=1 ConfusionQuantSteps=10",
    "target TargetROIs": _TARGET + " ROIsLabelTarget= MinSize=0 MinOverlap=0.5 FilterMinHeight=0 FilterMinWidth=0 "
    "FilterMinAspectRatio=0 FilterMaxAspectRatio=0 MergeMaxHDist=1 MergeMaxVDist=1 GenerateLabelsROIs=1 ScoreTopN=1",
    "target TargetAggregate": _TARGET + " ROIsLabelTarget= ScoreTopN=1",
    "target TargetRP": "RP= Anchor= MinOverlap=0.5 LossLambda=1",
    "target TargetBBox": "GenerateAnchors=0 NbAnchors=6 NbIter=1000000 NbClass=1",
    "target TargetMatching": "Distance=L2 ROC_NbSteps=5 ROC_Precision=0.001 TargetFAR=0.001",
    "target TargetCompare": _TARGET,
}

SPELLINGS = {
    "cell Conv": "KernelSize KernelWidth KernelHeight KernelDepth Stride StrideX StrideY StrideZ Padding PaddingX "
    "PaddingY PaddingZ SubSample SubSampleX SubSampleY SubSampleZ Dilation DilationX DilationY DilationZ "
    "QWeight.Solver QAct.Solver Solvers",
    "cell Pool": "PoolSize PoolWidth PoolHeight PoolDepth Stride StrideX StrideY Padding PaddingX PaddingY",
    "cell BatchNorm": "Solvers QAct.Solver",
    "weight quantizer SAT": "QWeight.Mode",
    "weight quantizer LSQ": "QWeight.StepOptInitStepSize",
    "section globals": "ProgramMethod(RRAM) ProgramMethod(PCM)",
}
"""Other names that the same keys have."""


def topic(name: str) -> catalogue.Topic:
    (found,) = [topic for topic in catalogue.topics() if f"{topic.kind} {topic.name}" == name]
    return found


def written(text: str) -> dict[str, str]:
    """``A=1 B='2 3' C=`` as names and values."""
    pairs = text.replace("='1 1'", "=1_1").replace("='0 0'", "=0_0").split()
    return {key: value.replace("_", " ") for key, _, value in (pair.partition("=") for pair in pairs)}


@pytest.mark.parametrize("name", KEYS)
def test_keys_and_defaults(name: str) -> None:
    known = {parameter.key: parameter.default for parameter in topic(name).parameters()}
    wanted = written(KEYS[name])
    assert {key: known.get(key) for key in wanted} == wanted


@pytest.mark.parametrize("name", SPELLINGS)
def test_other_spellings(name: str) -> None:
    known = {key for parameter in topic(name).parameters() for key in parameter.spellings}
    short = {key.partition(".")[2] for key in SPELLINGS[name].split() if name.startswith("weight")}
    assert (short or set(SPELLINGS[name].split())) - known == set()
