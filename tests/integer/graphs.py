"""Random networks as INI text, for property tests: a failing one shrinks to a short text."""

from __future__ import annotations

from hypothesis import strategies as st

RANGES = (1, 3, 7, 15, 31, 63, 127, 255)
MODES = ("Default", "FullRange", "Symmetric", "Asymmetric", "Integer")


@st.composite
def quantizer(draw: st.DrawFn) -> str:
    """A SAT weight quantizer of any range and mode that goes with it."""
    steps = draw(st.sampled_from(RANGES))
    mode = draw(st.sampled_from(MODES))
    if steps == 1 and mode in ("Symmetric", "Asymmetric"):
        mode = "Default"
    scaling = draw(st.booleans())
    return f"QWeight=SAT\nQWeight.Range={steps}\nQWeight.QuantMode={mode}\nQWeight.ApplyScaling={int(scaling)}"


@st.composite
def activation(draw: st.DrawFn) -> str:
    """A quantized activation."""
    function = draw(st.sampled_from(["Linear", "Rectifier", "Saturation"]))
    steps, alpha = draw(st.sampled_from(RANGES)), draw(st.sampled_from([0.7, 1.0, 3.0, 8.0]))
    threshold = "ActivationFunction.Threshold=2.5\n" if function == "Saturation" else ""
    bias = int(draw(st.booleans()))
    quantizer = f"QAct=SAT\nQAct.Range={steps}\nQAct.Alpha={alpha}\nQAct.IntegerBias={bias}"
    return f"ActivationFunction={function}\n{threshold}{quantizer}"


class Text:
    """The sections written so far, and the dimensions of the last one."""

    def __init__(self, size: int, channels: int) -> None:
        self.sections = [f"DefaultModel=Frame\n[sp]\nSize={size} {size} {channels}\nBatchSize=4"]
        self.size, self.channels, self.last = size, channels, "sp"

    def add(self, name: str, type_: str, outputs: int, *lines: str) -> None:
        rows = [f"[{name}]", f"Input={self.last}", f"Type={type_}", f"NbOutputs={outputs}", *filter(None, lines)]
        self.sections.append("\n".join(rows))
        self.last, self.channels = name, outputs

    def __str__(self) -> str:
        return "\n".join(self.sections)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Stimuli of 8 bits, one to three stages (Conv + BatchNorm or Conv with its own QAct, perhaps a Pool), Fc."""
    text = Text(draw(st.integers(5, 9)), draw(st.integers(1, 4)))
    for stage in range(draw(st.integers(1, 3))):
        _convolution(draw, text, stage)
        if text.size >= 2 and draw(st.booleans()):
            _pool(draw, text, stage)
    if draw(st.booleans()):
        bias = f"NoBias={int(draw(st.booleans()))}"
        plain = st.sampled_from(["", "ActivationFunction=Linear", "ActivationFunction=Rectifier"])
        tail = draw(st.one_of(plain, activation()))
        text.add("fc1", "Fc", draw(st.integers(1, 6)), bias, draw(quantizer()), tail)
        text.size = 1
        if draw(st.booleans()):
            text.add("drop", "Dropout", text.channels)
    text.add("fc2", "Fc", 4, f"NoBias={int(draw(st.booleans()))}", draw(quantizer()))
    if draw(st.booleans()):
        text.add("softmax", "Softmax", 4, "WithLoss=1")
    return str(text)


def _convolution(draw: st.DrawFn, text: Text, stage: int) -> None:
    outputs, mapping = _outputs(draw, text)
    kernel, padding = draw(st.integers(1, min(3, text.size))), draw(st.integers(0, 1))
    stride, dilation = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    if dilation * (kernel - 1) + 1 > text.size + 2 * padding:
        dilation = 1
    lines = [
        f"KernelSize={kernel}",
        f"Padding={padding}" if padding else "",
        f"Stride={stride}" if stride > 1 else "",
        f"Dilation={dilation}" if dilation > 1 else "",
        f"NoBias={int(draw(st.booleans()))}",
        mapping,
        draw(quantizer()),
    ]
    own = draw(st.booleans())
    text.add(f"conv{stage}", "Conv", outputs, *lines, draw(activation()) if own else "")
    text.size = (text.size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    if not own:
        kind = draw(st.sampled_from(["BatchNorm", "BatchNorm", "Activation"]))
        epsilon = draw(st.sampled_from(["", "Epsilon=0.001"])) if kind == "BatchNorm" else ""
        text.add(f"bn{stage}", kind, outputs, epsilon, draw(activation()))


def _outputs(draw: st.DrawFn, text: Text) -> tuple[int, str]:
    kind = draw(st.sampled_from(["full", "full", "depthwise", "groups", "irregular"]))
    if kind == "depthwise":
        return text.channels, "Mapping.ChannelsPerGroup=1"
    if kind == "groups" and text.channels % 2 == 0:
        return 2 * draw(st.integers(1, 2)), "Mapping.NbGroups=2"
    outputs = draw(st.integers(1, 4))
    if kind == "irregular":
        return outputs, f"Mapping.SizeX=1\nMapping.SizeY={draw(st.integers(1, 2))}"
    return outputs, ""


def _pool(draw: st.DrawFn, text: Text, stage: int) -> None:
    window, stride = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    unit = draw(st.booleans())
    outputs = text.channels if unit else draw(st.integers(1, 3))
    padding = draw(st.integers(0, window - 1))
    text.add(
        f"pool{stage}",
        "Pool",
        outputs,
        f"Pooling={draw(st.sampled_from(['Max', 'Average']))}",
        f"PoolSize={window}",
        f"Stride={stride}",
        f"Padding={padding}" if padding else "",
        "Mapping.Size=1" if unit else "",
        draw(activation()) if draw(st.integers(0, 3)) == 0 else "",
    )
    text.size = (text.size + 2 * padding - window) // stride + 1
