"""Networks as others write them: each construct of the public INI files, in small, builds and keeps every rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from n2d2py import console, ini
from n2d2py.cells.base import Dims
from n2d2py.errors import GraphError, N2d2Error, ParameterError
from n2d2py.graph.build import build, report_unused
from n2d2py.graph.dump import dump
from n2d2py.graph.network import Network
from n2d2py.graph.parse import parse

from .networks import heard

GPU = "DefaultModel=Frame_CUDA\n"
SCORED = "[softmax]\nInput={0}\nType=Softmax\nNbOutputs={1}\nWithLoss=1\n[softmax.Target]\n"


def made(text: str, file: str | Path = "other.ini", epoch: int = 48_000) -> Network:
    """The network of a text, which also survives its text form."""
    document = ini.loads(text, file=str(file))
    for section in ("sp", "env"):
        if section in document.sections:
            document.publish(section, "_EpochSize", epoch)
    network = build(document, "other.ini")
    report_unused(document)
    assert parse(dump(network)) == network
    return network


def told(text: str) -> list[str]:
    with heard() as records:
        made(text)
    return [record.getMessage() for record in records if record.levelno >= console.NOTICE]


# -------------------------------------------------------------------------------------------------- digits

LENET = (
    GPU
    + "[database]\nType=MNIST_IDX_Database\nValidation=0.2\n[sp]\nSizeX=32\nSizeY=32\nBatchSize=128\n"
    + "[sp.Transformation]\nType=RescaleTransformation\nWidth=[sp]SizeX\nHeight=[sp]SizeY\n"
    + "[conv1]\nInput=sp\nType=Conv\nKernelWidth=5\nKernelHeight=5\nNbOutputs=6\nActivationFunction=Rectifier\n"
    + "WeightsFiller=HeFiller\nConfigSection=common.config\n"
    + "[pool1]\nInput=conv1\nType=Pool\nPoolWidth=2\nPoolHeight=2\nNbOutputs=[conv1]NbOutputs\nStride=2\nPooling=Max\n"
    + "Mapping.Size=1\n"
    + "[conv2]\nInput=pool1\nType=Conv\nKernelSize=5\nNbOutputs=4\nConfigSection=common.config\n"
    + "Mapping(pool1)=\\\n1 0 0 1 \\\n1 1 0 0 \\\n1 1 1 0 \\\n0 1 1 1 \\\n0 0 1 1 \\\n0 0 0 1\n"
    + "[drop]\nInput=conv2\nType=Dropout\nNbOutputs=[conv2]NbOutputs\n"
    + "[fc]\nInput=drop\nType=Fc\nNbOutputs=10\nConfigSection=common.config\nActivationFunction=Linear\n"
    + SCORED.format("fc", 10)
    + "[common.config]\nNoBias=1\nSolvers.LearningRate=0.05\nSolvers.LearningRatePolicy=StepDecay\n"
    + "Solvers.LearningRateStepSize=[sp]_EpochSize\nSolvers.LearningRateDecay=0.993\nSolvers.Clamping=-1:1\n"
)


def test_a_connection_matrix_over_several_lines() -> None:
    network = made(LENET)
    assert network["conv2"].maps["pool1"].sum(axis=0).tolist() == [3, 3, 3, 4]
    solver = network["conv1"].cell.weights_solver  # type: ignore[attr-defined]
    assert (solver.step_size, solver.clamping) == (48_000, (-1.0, 1.0))


def test_quantization_of_an_older_n2d2() -> None:
    text = LENET.replace("ActivationFunction=Rectifier\n", "ActivationFunction=Rectifier\n" + OLD).replace(
        "NoBias=1\n", "NoBias=1\nSolvers.QuantizationLevels=15\n"
    )
    text = text.replace("BatchSize=128\n", "BatchSize=128\nConfigSection=sp.config\n")
    said = told(text + "[sp.config]\nQuantizationLevels=255\n")
    assert len(said) == 4
    assert all("belongs to an older N2D2 and is ignored; see QAct and QWeight" in one for one in said)


OLD = (
    "ActivationFunction.QuantizationLevels=255\nActivationFunction.MovingAverage=EMA\n"
    "ActivationFunction.QuantizationDelay=1000\n"
)


def test_a_spiking_twin() -> None:
    """Transcode computes frames and spikes with the same weights: only the frames are computed here."""
    text = (
        "DefaultModel=Transcode_CUDA\n[env]\nSizeX=24\nSizeY=24\nBatchSize=1\nConfigSection=env.config\n"
        "[env.config]\nStimulusType=JitteredPeriodic\nPeriodMin=1,000,000\n"
        "[conv]\nInput=env\nType=Conv\nKernelSize=4\nStride=2\nNbOutputs=4\nConfigSection=common.config\n"
        "ActivationFunction=Rectifier\n"
        "[fc]\nInput=conv\nType=Fc\nNbOutputs=10\nConfigSection=common.config,fc.config\n[fc.Target]\n"
        "[common.config]\nNoBias=1\nSolvers.LearningRate=0.1\nSolvers.LearningRateStepSize=$([env]_EpochSize * 2)\n"
        'IncomingDelay=1,000\nThreshold=0.5\nBipolarThreshold=1\nLeak=0.0\nRefractory=0\nWeightsRelInit="0.0; 0.05"\n'
        "[fc.config]\nTerminateDelta=4\nSomethingSpiking=1\n"
    )
    network = made(text)
    assert network.spiking == []
    assert network["conv"].cell.no_bias  # type: ignore[attr-defined]
    model, first, second, unknown = told(text)
    assert "model Transcode_CUDA is computed as Frame" in model
    assert first.startswith("IncomingDelay, Threshold, BipolarThreshold, Leak, Refractory, WeightsRelInit in section")
    assert first.endswith("only for spiking cells, ignored")
    assert "SomethingSpiking is not known here; it is taken for a spiking one and ignored" in second + unknown
    assert "TerminateDelta in section [fc.config]: only for spiking cells, ignored" in second + unknown


def test_spikes_alone() -> None:
    text = (
        "DefaultModel=Spike_Analog\nCheckWeightRange=0\n[env]\nSizeX=28\nSizeY=28\nConfigSection=env.config\n"
        "[env.config]\nStimulusType=Poissonian\nPeriodMeanMin=20,000,000,000\n"
        "[fc1]\nInput=env\nType=Fc\nNbOutputs=20\nConfigSection(Spike_Analog)=stdp.config\nConfigSection=none\n[fc1.Target]\n"
        '[stdp.config]\nStdpLtp=2,000,000,000\nThreshold=9.0\nWeightsMinMean="1; 20%"\nInhibitRefractory=1,500\n'
    )
    network = made(text)
    assert [node.name for node in network.spiking] == ["fc1"]
    said = told(text)
    assert "model Spike_Analog can be drawn and checked, and cannot learn here" in said[0]
    assert "only for spiking cells, ignored" in said[1]
    with heard() as records:
        made(text)
    assert "Layer: fc1 [Fc(Spike_Analog)]" in [record.getMessage() for record in records]


def test_a_margin_on_the_label() -> None:
    text = GPU + (
        "[sp]\nSizeX=24\nSizeY=24\n[fc1]\nInput=sp\nType=Fc\nNbOutputs=8\nActivationFunction=Rectifier\n"
        "ConfigSection=common.config\n[norm]\nInput=fc1\nType=Normalize\nNbOutputs=8\nNorm=L2\n"
        "[fc2]\nInput=norm\nType=Fc\nNbOutputs=10\nConfigSection=common.config,fc2.config\n"
        "[fc2_margin]\nInput=fc2\nType=TargetBias\nNbOutputs=10\nBias=-0.35\n[fc2_margin.Target]\nType=Target\n"
        "[scaled]\nInput=fc2_margin\nType=ElemWise\nNbOutputs=10\nOperation=Sum\nWeights=30.0\n"
        + SCORED.format("scaled", 10)
        + "[common.config]\nNoBias=1\n[fc2.config]\nNormalize=1\n"
    )
    network = made(text)
    assert network["fc2"].cell.normalize  # type: ignore[attr-defined]
    assert [(target.cell, target.scores) for target in network.targets] == [("fc2_margin", False), ("softmax", True)]


AUTOENCODER = (
    "DefaultModel=Frame_CUDA\n$SIZE=15\n$EPOCHS=3\n[sp]\nSizeX=${SIZE}\nSizeY=${SIZE}\nBatchSize=8\n"
    "[enc_def]\nType=Conv\nKernelSize=3\nStride=2\nActivationFunction=Rectifier\nWeightsFiller=HeFiller\n"
    "ConfigSection=common.config\n[enc1] enc_def\nInput=sp\nNbOutputs=4\n[enc2] enc_def\nInput=enc1\nNbOutputs=8\n"
    "[dec_def]\nType=Deconv\nKernelSize=3\nStride=2\nActivationFunction=Rectifier\nConfigSection=common.config\n"
    "[dec1] dec_def\nInput=enc2\nNbOutputs=$([enc1]NbOutputs )\n[dec2] dec_def\nInput=dec1\nNbOutputs=1\n"
    "ActivationFunction=Linear\n[dec2.Target]\nDataAsTarget=1\n"
    "[common.config]\nSolvers.LearningRatePolicy=PolyDecay\nSolvers.Power=1.0\n"
    "Solvers.MaxIterations=$([sp]_EpochSize * ${EPOCHS} / 7)\n"
)


def test_the_input_as_target() -> None:
    with heard() as records:
        network = made(AUTOENCODER)
    assert network["dec2"].output == Dims(15, 15, 1)
    assert network.targets[0].data_as_target
    # 48000 * 3 / 7 is no integer.
    assert any("cut to the integer 20571" in record.getMessage() for record in records)


def test_an_output_that_cannot_be_the_input() -> None:
    with pytest.raises(GraphError) as error:
        made(AUTOENCODER.replace("NbOutputs=1\n", "NbOutputs=2\n"))
    assert "compares cell dec2 with the stimuli, which have 225 values, and the cell gives 450" in str(error.value)
    assert "expected: an output of 15x15 and 1 channels" in str(error.value)
    made(AUTOENCODER.replace("NbOutputs=1\n", "NbOutputs=2\n").replace("[sp]\n", "[sp]\nTargetSize=15 15 2\n"))


# ------------------------------------------------------------------------------------------- small images


def test_statistics_of_the_stimuli_in_a_transformation() -> None:
    text = GPU + (
        "$LR=0.1\n[sp]\nSizeX=32\nSizeY=32\nNbChannels=3\nBatchSize=64\n"
        "[sp.StimuliData-raw]\nApplyTo=LearnOnly\n"
        "[sp.Transformation]\nType=RangeAffineTransformation\nFirstOperator=Minus\n"
        "FirstValue=[sp.StimuliData-raw]_GlobalValue.mean\n"
        "[sp.OnTheFlyTransformation]\nType=FlipTransformation\nApplyTo=LearnOnly\nRandomHorizontalFlip=1\n"
        "[conv_def]\nType=Conv\nKernelSize=3\nPadding=1\nWeightsFiller=HeFiller\nConfigSection=common.config\n"
        "[bn_def]\nType=BatchNorm\nActivationFunction=Rectifier\n"
        "[conv1] conv_def\nInput=sp\nNbOutputs=8\n[bn1] bn_def\nInput=conv1\nNbOutputs=[conv1]NbOutputs\n"
        "[drop1]\nInput=bn1\nType=Dropout\nNbOutputs=8\nDropout=0.2\n"
        "[pool1]\nInput=drop1\nType=Pool\nPoolSize=2\nStride=2\nPooling=Max\nNbOutputs=8\nMapping.Size=1\n"
        "[fc]\nInput=pool1\nType=Fc\nNbOutputs=10\nWeightsFiller=XavierFiller\nConfigSection=common.config\n"
        + SCORED.format("fc", 10)
        + "[common.config]\nSolvers.LearningRate=${LR}\nSolvers.LearningRatePolicy=StepDecay\n"
        "Solvers.LearningRateStepSize=$([sp]_EpochSize * 40)\n"
    )
    network = made(text)
    assert network["drop1"].cell.dropout == 0.2  # type: ignore[attr-defined]
    assert told(text) == []


BLOCK = (
    "[{{SECTION_NAME}}_a]\nInput={{INPUT}}\nType=Conv\nKernelSize=3\nPadding=1\nStride={{STRIDE}}\n"
    "NbOutputs={{OUTPUTS}}\nActivationFunction=Rectifier\n"
    "[{{SECTION_NAME}}_b]\nInput={{SECTION_NAME}}_a\nType=Conv\nKernelSize=3\nPadding=1\nNbOutputs=$({{OUTPUTS}} * 1)\n"
    "[{{SECTION_NAME}}_sum]\nInput={% if SHORT exists %}{{SHORT}}{% endif %}"
    "{% if SHORT not_exists %}{{INPUT}}{% endif %},{{SECTION_NAME}}_b\n"
    "Type=ElemWise\nOperation=Sum\nNbOutputs={{OUTPUTS}}\n{% if NO_RELU not_exists %}"
    "ActivationFunction=Rectifier\n{% endif %}"
)
RESIDUAL = (
    GPU
    + "$ALPHA=0.5\n[sp]\nSizeX=16\nSizeY=16\nNbChannels=3\nBatchSize=4\n"
    + "[conv1]\nInput=sp\nType=Conv\nKernelSize=3\nPadding=1\nNbOutputs=8\n"
    + "[block1@block.ini.tpl]\nINPUT=conv1\nSTRIDE=1\nOUTPUTS=$(int(16 * ${ALPHA}))\n"
    + "[short]\nInput=block1_sum\nType=Conv\nKernelSize=1\nStride=2\nNbOutputs=12\n"
    + "[block2@block.ini.tpl]\nINPUT=block1_sum\nSTRIDE=2\nOUTPUTS=12\nSHORT=short\nNO_RELU=1\n"
    + "[pool]\nInput=block2_sum\nType=Pool\nPoolDims=[block2_sum]_OutputsWidth [block2_sum]_OutputsHeight\n"
    + "Pooling=Average\nNbOutputs=12\nMapping.ChannelsPerGroup=1\n[fc]\nInput=pool\nType=Fc\nNbOutputs=10\n"
    + SCORED.format("fc", 10).replace("[softmax.Target]\n", "[softmax.Target-Top5]\nTopN=5\n")
)


def test_residual_blocks_from_a_template(tmp_path: Path) -> None:
    (tmp_path / "block.ini.tpl").write_text(BLOCK)
    network = made(RESIDUAL, tmp_path / "net.ini")
    assert network["block1_sum"].parents == ("conv1", "block1_b")
    assert network["block2_sum"].parents == ("short", "block2_b")
    assert network["block2_sum"].cell.activation is None  # type: ignore[attr-defined]
    assert network["block1_sum"].output == Dims(16, 16, 8)
    assert network["pool"].output == Dims(1, 1, 12)
    assert network.targets[0].top_n == 5


# ------------------------------------------------------------------------------------------- large images

STD = "[sp]\nSizeX=32\nSizeY=32\nNbChannels=3\nBatchSize=4\n"


def test_fire_modules() -> None:
    """Cells with two inputs, and pools whose patterns lie beside each other on the outputs."""
    text = (
        GPU
        + STD
        + (
            "[conv_def]\nType=Conv\nActivationFunction=Rectifier\nWeightsFiller=HeFiller\n"
            "[squeeze] conv_def\nInput=sp\nKernelSize=1\nNbOutputs=4\n"
            "[left] conv_def\nInput=squeeze\nKernelSize=1\nNbOutputs=6\n"
            "[right] conv_def\nInput=squeeze\nKernelSize=3\nPadding=1\nNbOutputs=6\n"
            "[pool]\nInput=left,right\nType=Pool\nPoolSize=3\nStride=2\nPooling=Max\nNbOutputs=12\nMapping.Size=1\n"
            "Mapping.NbIterations=6\nMapping(right).OffsetX=6\n"
            "[conv10] conv_def\nInput=pool\nKernelSize=1\nNbOutputs=10\n"
            "[gap]\nInput=conv10\nType=Pool\nPoolDims=[conv10]_OutputsWidth [conv10]_OutputsHeight\nPooling=Average\n"
            "NbOutputs=10\nMapping.Size=1\n" + SCORED.format("gap", 10)
        )
    )
    maps = made(text)["pool"].maps
    assert np.array_equal(maps["left"], np.eye(6, 12, dtype=bool))
    assert np.array_equal(maps["right"], np.eye(6, 12, k=6, dtype=bool))


def test_depthwise_convolutions_and_solvers_of_batchnorm() -> None:
    text = (
        GPU
        + "$ALPHA=0.25\n"
        + STD
        + (
            "[conv1]\nInput=sp\nType=Conv\nKernelSize=3\nStride=2\nPadding=1\nNbOutputs=$(int(32 * ${ALPHA}))\n"
            "ConfigSection=common.config\n[bn1]\nInput=conv1\nType=BatchNorm\nNbOutputs=[conv1]NbOutputs\n"
            "ActivationFunction=Rectifier\nActivationFunction.Clipping=6.0\nConfigSection=bn.config\n"
            "[dw]\nInput=bn1\nType=Conv\nKernelSize=3\nPadding=1\nNbOutputs=[bn1]NbOutputs\nMapping.ChannelsPerGroup=1\n"
            "[pw]\nInput=dw\nType=Conv\nKernelSize=1\nNbOutputs=$([bn1]NbOutputs * 6)\n"
            "[fc]\nInput=pw\nType=Fc\nNbOutputs=10\n"
            + SCORED.format("fc", 10)
            + "[common.config]\nNoBias=1\nWeightsSolver.Decay=0.0001\nSolvers.IterationSize=2\n"
            "[bn.config]\nScaleSolver.LearningRate=0.02\nBiasSolver.LearningRate=0.04\n"
        )
    )
    network = made(text)
    assert np.array_equal(network["dw"].maps["bn1"], np.eye(8, dtype=bool))
    norm = network["bn1"].cell
    assert (norm.scale_solver.learning_rate, norm.bias_solver.learning_rate) == (0.02, 0.04)  # type: ignore[attr-defined]
    assert network["pw"].cell.nb_outputs == 48


def test_channels_that_transformations_make() -> None:
    text = (
        GPU
        + "[sp]\nSizeX=8\nSizeY=8\nNbChannels=1\n"
        + "".join(
            f"[sp.ChannelTransformation-{name}]\nType=ChannelExtractionTransformation\nCSChannel={name}\n"
            for name in ("Red", "Green", "Blue")
        )
    )
    text += "[fc]\nInput=sp\nType=Fc\nNbOutputs=2\n[fc.Target]\n"
    assert made(text).stimuli == Dims(8, 8, 3)


def test_a_network_without_stimuli_is_rejected() -> None:
    with pytest.raises(GraphError) as error:
        made("[conv1]\nInput=sp\nType=Conv\nKernelSize=3\nNbOutputs=4\n")
    assert "Missing [sp] section." in str(error.value)
    assert "SizeX, SizeY, NbChannels and BatchSize" in str(error.value)


def test_a_variable_that_is_not_defined_is_named() -> None:
    with pytest.raises(N2d2Error) as error:
        made(LENET.replace("LearningRateDecay=0.993", "LearningRateDecay=${STEPDECAY_RATE}"))
    assert "STEPDECAY_RATE" in str(error.value)
    assert "other.ini:" in str(error.value)


def test_a_section_that_nobody_uses_may_be_wrong() -> None:
    assert "unused.config" not in made(LENET + "[unused.config]\nSolvers.LearningRateDecay=${STEPDECAY_RATE}\n")


def test_a_constant_without_value_is_zero() -> None:
    said = told(LENET.replace("WeightsFiller=HeFiller\n", "WeightsFiller=HeFiller\nBiasFiller=ConstantFiller\n"))
    assert len(said) == 1
    assert "ConstantFiller without Value: every value is 0, at: other.ini:" in said[0]


def test_solvers_without_a_type_and_inline_parameters_count() -> None:
    network = made(LENET.replace("NbOutputs=6\n", "NbOutputs=6\nSolvers.Momentum=0.5\nNoBias=0\n"))
    conv = network["conv1"].cell
    assert (conv.weights_solver.momentum, conv.weights_solver.learning_rate) == (0.5, 0.05)  # type: ignore[attr-defined]
    assert not conv.no_bias  # type: ignore[attr-defined]


def test_no_target() -> None:
    said = told(LENET.replace("[softmax.Target]\n", ""))
    assert said[0].startswith("other.ini has no [<cell>.Target] section")


# ------------------------------------------------------------------------------------- faces and regions


def heads(*more: str) -> str:
    return GPU + (
        "[sp]\nSizeX=48\nSizeY=36\nNbChannels=1\nBatchSize=2\nCompositeStimuli=1\n"
        "[conv1]\nInput=sp\nType=Conv\nKernelSize=4\nStride=2\nNbOutputs=8\nActivationFunction=Rectifier\n"
        "[conv_face]\nInput=conv1\nType=Conv\nKernelSize=1\nNbOutputs=1\nActivationFunction=LogisticWithLoss\n"
        "[conv_gender]\nInput=conv1\nType=Conv\nKernelSize=1\nNbOutputs=2\nActivationFunction=LogisticWithLoss\n"
        "[conv_face.Target-face]\nLabelsMapping=${N2D2_MODELS}/face.dat\nNoDisplayLabel=0\n"
        "[conv_gender.Target-gender]\nLabelsMapping=gender.dat\nMaskLabelTarget=conv_face.Target-face\nMaskedLabel=1\n"
        + "".join(more)
    )


def test_targets_that_mask_each_other_and_regions() -> None:
    text = heads(
        "[seen]\nInput=conv_face\nType=Threshold\nNbOutputs=1\nThreshold=0.5\nOperation=ToZero\n",
        "[seen.Target-roi]\nType=TargetROIs\nMinOverlap=0.33\nFilterMinWidth=4\n"
        "ROIsLabelTarget=conv_gender.Target-gender\n",
    )
    network = made(text)
    assert [target.name for target in network.targets] == [
        *("conv_face.Target-face", "conv_gender.Target-gender", "seen.Target-roi")
    ]
    assert network["seen"].cell.operation == "ToZero"  # type: ignore[attr-defined]
    assert network.targets[1].masks


def test_targets_of_regions_that_cannot_run_are_told() -> None:
    said = told(heads("[conv1.Target-box]\nType=TargetBBox\nNbClass=2\n"))
    assert said == [
        "target conv1.Target-box can be neither learned nor tested here: cell conv1 gives no boxes (Conv), "
        "at: other.ini:34, [conv1.Target-box]"
    ]


def test_a_mask_that_does_not_exist() -> None:
    with pytest.raises(GraphError, match=r"MaskLabelTarget of target conv_gender\.Target-gender: there is no target"):
        made(heads().replace("MaskLabelTarget=conv_face.Target-face", "MaskLabelTarget=face"))


def test_proposed_regions() -> None:
    text = heads(
        "[scores]\nInput=conv1\nType=Conv\nKernelSize=1\nNbOutputs=10\n"
        "[anchors]\nInput=scores\nType=Anchor\nModel=Frame\nNbOutputs=12\nDetectorType=LapNet\n"
        "Anchor[0]=16 1.0\nAnchor[1]=32 0.5\nConfigSection=anchors.config\n"
        "[rp]\nInput=anchors\nType=RP\nModel=Frame\nNbAnchors=2\nNbProposals=4\n"
        "[roi]\nInput=rp,conv1\nType=ROIPooling\nOutputsWidth=3\nOutputsHeight=3\nNbOutputs=8\nPooling=Max\n"
        "[cls]\nInput=roi\nType=Fc\nNbOutputs=2\n[cls.Target]\nType=TargetRP\nTargetType=Cls\nRP=rp\nAnchor=anchors\n"
        "[anchors.config]\nPositiveIoU=0.6\nNbClass=1\n"
    )
    assert made(text)["roi"].output.channels == 8
    found = told(text + "[rp.Target]\nType=TargetBBox\nNbClass=2\n")
    assert [line for line in found if "NbClass" in line] == [
        "NbClass=2 of target rp.Target has no effect: cell rp tells 1 classes of boxes apart, "
        "at: other.ini:75, [rp.Target], NbClass"
    ]


def test_types_of_targets_are_checked() -> None:
    with pytest.raises(ParameterError, match="did you mean TargetROIs"):
        made(LENET + "[fc.Target]\nType=TargetROI\n")
