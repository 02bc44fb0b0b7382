"""Passes over a network: a BatchNorm behind each Conv, and no Reshape that another one undoes."""

from __future__ import annotations

from pathlib import Path

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.graph.dump import dump
from n2d2py.graph.lint import lint

from .networks import HEAD, network

GOLDEN = Path(__file__).parent.parent / "golden"

CONVS = (
    "InsertBatchNormAfterConv=1\n" + HEAD + "[conv1]\nInput=sp\nType=Conv\nKernelSize=3\nNbOutputs=4\n"
    "ActivationFunction=Rectifier\nQAct=SAT\nQAct.Range=15\nQActSolver=Adam\n"
    "[pool1]\nInput=conv1\nType=Pool\nPooling=Max\nPoolSize=2\nStride=2\nNbOutputs=4\nMapping(conv1).Size=1\n"
    "[conv2]\nInput=pool1\nType=Conv\nKernelSize=1\nNbOutputs=4\n[bn2]\nInput=conv2\nType=BatchNorm\nNbOutputs=4\n"
    "[conv1_batchnorm]\nInput=bn2\nType=Conv\nKernelSize=1\nNbOutputs=3\n[conv1_batchnorm.Target]\n"
)


def test_batchnorms_behind_convs() -> None:
    built = build(ini.loads(CONVS, file="inserted.ini"), "inserted.ini")
    assert dump(built) == (GOLDEN / "inserted.txt").read_text(encoding="utf-8")


def test_names_that_are_taken() -> None:
    built = network(CONVS)
    assert [node.name for node in built] == [
        *("conv1", "conv1_batchnorm_0", "pool1", "conv2", "bn2", "conv1_batchnorm", "conv1_batchnorm_batchnorm")
    ]
    assert built["pool1"].parents == ("conv1_batchnorm_0",)
    assert set(built["pool1"].maps) == {"conv1_batchnorm_0"}
    # The target goes with the activation, and its folder keeps its name.
    (target,) = built.targets
    assert (target.name, target.cell) == ("conv1_batchnorm.Target", "conv1_batchnorm_batchnorm")
    lint(built)


def test_without_the_key_nothing_is_inserted() -> None:
    assert "conv1_batchnorm_0" not in network(CONVS.replace("Conv=1\n", "Conv=0\n", 1))


RESHAPE = "Type=Reshape\nNbOutputs={0}\nDims={1}\n"


class TestReshapes:
    def text(self, *inputs: str) -> str:
        return HEAD + (
            f"[r1]\nInput=sp\n{RESHAPE.format(128, '1 1 128')}[r2]\nInput=r1\n{RESHAPE.format(1, '8 16 1')}"
            f"[r3]\nInput=r2\n{RESHAPE.format(8, '4 4 8')}[fc]\nInput={','.join(inputs)}\nType=Fc\nNbOutputs=3\n"
        )

    def test_only_the_last_one_stays(self) -> None:
        built = network(self.text("r3"))
        assert [node.name for node in built] == ["r3", "fc"]
        assert built["r3"].parents == ("env",)
        assert built["r3"].inputs == (built.stimuli,)

    def test_one_that_feeds_something_else_stays(self) -> None:
        built = network(self.text("r3", "r1"))
        assert [node.name for node in built] == ["r1", "r3", "fc"]

    def test_one_with_a_target_stays(self) -> None:
        built = network(self.text("r3") + "[r2.Target]\nType=Target\n")
        assert [node.name for node in built] == ["r2", "r3", "fc"]
