"""Random graphs that part and join, as INI text, for hypothesis: what it shrinks to is a text to read."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from .graphs import RANGES, quantizer


@dataclass(frozen=True)
class Stream:
    """A cell that others can take: its name, its channels, its size."""

    name: str
    channels: int
    size: int


ACTIVATIONS = ("SAT", "SAT", "LSQ", "Signed", "Binary")


@st.composite
def act(draw: st.DrawFn) -> str:
    """An activation function with one of the quantizers."""
    kind = draw(st.sampled_from(ACTIVATIONS))
    if kind == "Binary":
        return "ActivationFunction=Linear\nQAct=Binary"
    function = draw(st.sampled_from(["Linear", "Rectifier"]))
    steps = f"{draw(st.sampled_from(RANGES))}\nQAct.IntegerBias={int(draw(st.booleans()))}"
    if kind == "SAT":
        return (
            f"ActivationFunction={function}\nQAct=SAT\nQAct.Range={steps}\nQAct.Alpha={draw(st.sampled_from([1, 3]))}"
        )
    signed = "\nQAct.Signed=1" if kind == "Signed" and not steps.startswith("1\n") else ""
    function = "Linear" if signed else function
    return f"ActivationFunction={function}\nQAct=LSQ\nQAct.Range={steps}{signed}"


@st.composite
def weights(draw: st.DrawFn) -> str:
    """One of the quantizers of weights."""
    kind = draw(st.sampled_from(["SAT", "SAT", "LSQ", "Binary", "Ternary"]))
    if kind == "SAT":
        return draw(quantizer())
    return "QWeight=LSQ\nQWeight.Range=15" if kind == "LSQ" else f"QWeight={kind}"


class Graph:
    """The sections so far and the streams that cells can still take."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        size, channels = draw(st.integers(3, 5)), draw(st.integers(1, 2))
        self.sections = [f"DefaultModel=Frame\n[sp]\nSize={size} {size} {channels}\nBatchSize=2"]
        self.streams = [Stream("sp", channels, size)]
        self.used: set[str] = set()

    def take(self) -> Stream:
        """One of the last streams."""
        return self.draw(st.sampled_from(self.streams[-4:]))

    def add(self, type_: str, inputs: list[Stream], outputs: int, size: int, *lines: str) -> Stream:
        """A cell; gives its stream."""
        name = f"{type_.lower()}{len(self.sections)}"
        joined = ",".join(one.name for one in inputs)
        rows = [f"[{name}]", f"Input={joined}", f"Type={type_}", f"NbOutputs={outputs}", *filter(None, lines)]
        self.sections.append("\n".join(rows))
        self.used.update(one.name for one in inputs)
        self.streams.append(Stream(name, outputs, size))
        return self.streams[-1]

    def perhaps(self, what: st.SearchStrategy[str]) -> str:
        """``what``, or nothing."""
        return self.draw(what) if self.draw(st.booleans()) else ""

    def conv(self) -> None:
        """A convolution, perhaps depthwise, of one stream or of several of the same size."""
        first = self.take()
        others = [one for one in self.streams[-4:] if one.size == first.size and one != first and one.name != "sp"]
        depthwise = self.draw(st.booleans())
        joins = bool(others) and first.name != "sp" and not depthwise and self.draw(st.booleans())
        inputs = [first, others[0]] if joins else [first]
        kernel = self.draw(st.sampled_from([1, 3]))
        outputs = first.channels if depthwise else self.draw(st.integers(1, 3))
        lines = [f"KernelSize={kernel}", f"Padding={kernel // 2}" if kernel > 1 else ""]
        lines += ["Mapping.ChannelsPerGroup=1" if depthwise else "", f"NoBias={int(self.draw(st.booleans()))}"]
        self.add("Conv", inputs, outputs, first.size, *lines, self.draw(weights()), self.perhaps(act()))

    def batchnorm(self) -> None:
        """With or without a quantizer."""
        one = self.take()
        if one.name != "sp":
            self.add("BatchNorm", [one], one.channels, one.size, self.perhaps(act()))

    def pool(self) -> None:
        """A maximum or an average of neighbours."""
        one = self.take()
        if one.name != "sp" and one.size >= 2:
            kind = self.draw(st.sampled_from(["Max", "Average"]))
            self.add("Pool", [one], one.channels, one.size - 1, f"Pooling={kind}", "PoolSize=2", "Mapping.Size=1")

    def join(self) -> None:
        """A sum or a maximum of two streams of the same shape, or of a stream with itself."""
        one = self.take()
        same = [other for other in self.streams if (other.channels, other.size) == (one.channels, one.size)]
        same = [other for other in same if other.name != "sp"]
        if one.name != "sp":
            other = self.draw(st.sampled_from(same))
            kind = self.draw(st.sampled_from(["Sum", "Sum", "Max"]))
            self.add("ElemWise", [one, other], one.channels, one.size, f"Operation={kind}", self.perhaps(act()))

    def activation(self) -> None:
        """A quantizer of its own."""
        one = self.take()
        if one.name != "sp":
            self.add("Activation", [one], one.channels, one.size, self.draw(act()))

    def text(self) -> str:
        """The graph; all that nothing takes is flattened and joined in a last Fc."""
        ends = [one for one in self.streams if one.name not in self.used and one.name != "sp"]
        last = self.draw(st.booleans())
        if last:
            self.add("Fc", ends, 2, 1, f"NoBias={int(self.draw(st.booleans()))}", self.draw(weights()))
        return "\n".join(self.sections) + "\n"


@st.composite
def branching(draw: st.DrawFn) -> str:
    """Two to seven cells; without a last Fc the network has several outputs."""
    graph = Graph(draw)
    graph.conv()
    for _ in range(draw(st.integers(1, 6))):
        draw(st.sampled_from([graph.conv, graph.batchnorm, graph.pool, graph.join, graph.activation]))()
    return graph.text()
