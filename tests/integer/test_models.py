"""Networks of ``models/`` on small inputs: every code equal, every rescaling proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from n2d2py import ini
from n2d2py.graph.build import build
from n2d2py.integer.lower import lower
from n2d2py.integer.verify import verify
from n2d2py.layers.network import TorchNetwork

from .learned import IMAGES, Images, randomise

FOLDER = Path(__file__).parent.parent.parent / "models"
SMALL = (("SIZE=224", "SIZE=32"), ("CLASSES=1000", "CLASSES=5"), ("TOP_N=5", "TOP_N=1"))
SAT = ("[definitions@templates/float.ini.tpl]",
       "[definitions@templates/sat.ini.tpl]\nQUANTIZE=1\nWEIGHTS_RANGE=15\nACTIVATIONS_RANGE=15")  # fmt: skip
NARROW = tuple((f"NB_OUTPUTS={count}\n", f"NB_OUTPUTS={count // 8}\n") for count in (64, 128, 256, 512))
MODELS = {
    "ResNet-20_CIFAR10.ini": (SAT,),
    "ResNet-18_SAT4.ini": (*SMALL, *NARROW, ("INPUT=pool1\n", "INPUT=pool1\nPROJECT=1\n")),
    "MobileNet_v1.ini": (*SMALL, SAT, ("$ALPHA=1.0", "$ALPHA=0.25")),
    "MobileNet_v2.ini": (*SMALL, SAT, ("$ALPHA=1.0", "$ALPHA=0.25")),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_on_small_images(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in MODELS[name]:
        assert old in text
        text = text.replace(old, new)
    document = ini.loads(text, file=str(FOLDER / name))
    document.publish("sp", "_EpochSize", 1000)
    learned = TorchNetwork(build(document, name)).eval()
    randomise(learned, 3)
    integer = lower(learned, IMAGES)
    assert integer.exact
    assert integer.islands == ["softmax"]
    result = verify(learned, integer, [Images(learned, 2)])
    assert result.all_equal, "\n".join(result.lines())
