"""Networks of every kind of block as INI text, small, their ranges and quantizers filled in."""

from __future__ import annotations

from collections.abc import Iterator

HEAD = "DefaultModel=Frame\n[sp]\nSize={size} {size} {channels}\nBatchSize=4\n"
RECTIFIED = "ActivationFunction=Rectifier\nQAct=SAT\nQAct.Range={a}\nQAct.Alpha=3.0"
LINEAR = "ActivationFunction=Linear\nQAct=SAT\nQAct.Range={a}\nQAct.Alpha=2.0"
SIGNED = "ActivationFunction=Linear\nQAct=LSQ\nQAct.Range={a}\nQAct.Signed=1"


class Text:
    """Sections written one after the other."""

    def __init__(self, size: int = 8, channels: int = 2, weights: int = 15, activations: int = 15) -> None:
        self.parts = [HEAD.format(size=size, channels=channels)]
        self.weights, self.activations = weights, activations

    def cell(self, name: str, type_: str, inputs: str, outputs: int, *lines: str) -> str:
        rows = [f"[{name}]", f"Input={inputs}", f"Type={type_}", f"NbOutputs={outputs}", *lines]
        self.parts.append("\n".join(rows).replace("{a}", str(self.activations)))
        return name

    def conv(self, name: str, inputs: str, outputs: int, *lines: str, kernel: int = 3, bias: int = 0) -> str:
        padding = [f"Padding={kernel // 2}"] if kernel > 1 else []
        fixed = [f"KernelSize={kernel}", *padding, f"NoBias={1 - bias}", "QWeight=SAT", f"QWeight.Range={self.weights}"]
        return self.cell(name, "Conv", inputs, outputs, *fixed, *lines)

    def end(self, inputs: str, bias: int = 1) -> str:
        self.cell("fc", "Fc", inputs, 4, f"NoBias={1 - bias}", "QWeight=SAT", f"QWeight.Range={self.weights}")
        self.cell("softmax", "Softmax", "fc", 4, "WithLoss=1")
        return "\n".join(self.parts) + "\n"


def resnet_v1(weights: int = 15, activations: int = 15) -> str:
    """Two blocks: the last BatchNorm of each has no quantizer; an identity and a projected shortcut."""
    text = Text(weights=weights, activations=activations)
    text.conv("c0", "sp", 4)
    text.cell("b0", "BatchNorm", "c0", 4, RECTIFIED)
    text.conv("c1", "b0", 4)
    text.cell("b1", "BatchNorm", "c1", 4, RECTIFIED)
    text.conv("c2", "b1", 4)
    text.cell("b2", "BatchNorm", "c2", 4)
    text.cell("sum1", "ElemWise", "b2,b0", 4, RECTIFIED)
    text.conv("c3", "sum1", 6, "Stride=2")
    text.cell("b3", "BatchNorm", "c3", 6, RECTIFIED)
    text.conv("c4", "b3", 6)
    text.cell("b4", "BatchNorm", "c4", 6)
    text.conv("c5", "sum1", 6, "Stride=2", kernel=1)
    text.cell("b5", "BatchNorm", "c5", 6)
    text.cell("sum2", "ElemWise", "b4,b5", 6, RECTIFIED)
    text.cell("gap", "Pool", "sum2", 6, "Pooling=Average", "PoolSize=4", "Mapping.Size=1")
    return text.end("gap")


def resnet_v2(weights: int = 15, activations: int = 15) -> str:
    """Pre-activation: the stream is never quantized; an accumulator feeds a BatchNorm and a sum."""
    text = Text(weights=weights, activations=activations)
    stream = text.conv("c0", "sp", 4, bias=1)
    for index in range(2):
        text.cell(f"b{index}a", "BatchNorm", stream, 4, RECTIFIED)
        text.conv(f"c{index}a", f"b{index}a", 4)
        text.cell(f"b{index}b", "BatchNorm", f"c{index}a", 4, RECTIFIED)
        text.conv(f"c{index}b", f"b{index}b", 4, bias=1)
        stream = text.cell(f"sum{index}", "ElemWise", f"{stream},c{index}b", 4)
    text.cell("last", "BatchNorm", stream, 4, RECTIFIED)
    text.cell("gap", "Pool", "last", 4, "Pooling=Average", "PoolSize=8", "Mapping.Size=1")
    return text.end("gap")


def mobilenet_v1(weights: int = 15, activations: int = 15) -> str:
    """Depthwise and pointwise."""
    text = Text(weights=weights, activations=activations)
    text.conv("c0", "sp", 4)
    text.cell("b0", "BatchNorm", "c0", 4, RECTIFIED)
    text.conv("dw", "b0", 4, "Mapping.ChannelsPerGroup=1", "Stride=2")
    text.cell("b1", "BatchNorm", "dw", 4, RECTIFIED)
    text.conv("pw", "b1", 6, kernel=1)
    text.cell("b2", "BatchNorm", "pw", 6, RECTIFIED)
    text.cell("gap", "Pool", "b2", 6, "Pooling=Average", "PoolSize=4", "Mapping.Size=1")
    return text.end("gap")


def mobilenet_v2(weights: int = 15, activations: int = 15) -> str:
    """Inverted residuals with linear bottlenecks: sums and BatchNorms without quantizers feed convolutions."""
    text = Text(weights=weights, activations=activations)
    text.conv("c0", "sp", 4)
    stream = text.cell("b0", "BatchNorm", "c0", 4)
    for index in range(2):
        text.conv(f"e{index}", stream, 8, kernel=1)
        text.cell(f"eb{index}", "BatchNorm", f"e{index}", 8, RECTIFIED, "ActivationFunction.Clipping=6")
        text.conv(f"d{index}", f"eb{index}", 8, "Mapping.ChannelsPerGroup=1")
        text.cell(f"db{index}", "BatchNorm", f"d{index}", 8, RECTIFIED)
        text.conv(f"p{index}", f"db{index}", 4, kernel=1)
        text.cell(f"pb{index}", "BatchNorm", f"p{index}", 4)
        stream = text.cell(f"sum{index}", "ElemWise", f"pb{index},{stream}", 4)
    text.cell("gap", "Pool", stream, 4, "Pooling=Average", "PoolSize=8", "Mapping.Size=1")
    return text.end("gap")


def inception(weights: int = 15, activations: int = 15) -> str:
    """Four branches of four scales, joined for a convolution, a pool and a fully connected cell."""
    text = Text(weights=weights, activations=activations)
    text.conv("c0", "sp", 4, RECTIFIED)
    text.conv("x1", "c0", 2, RECTIFIED, kernel=1)
    text.conv("x3", "c0", 3, RECTIFIED.replace("3.0", "1.7"))
    text.conv("x5", "c0", 2, LINEAR, kernel=5)
    text.cell("xp", "Pool", "c0", 4, "Pooling=Max", "PoolSize=3", "Padding=1", "Mapping.Size=1")
    text.conv("xq", "xp", 2, LINEAR.replace("2.0", "0.9"), kernel=1)
    text.conv("next", "x1,x3,x5,xq", 5, "QAct=SAT", "ActivationFunction=Rectifier")
    text.cell("pool", "Pool", "x1,x3,x5,xq", 9, "Pooling=Average", "PoolSize=2", "Stride=2", "Mapping.Size=1")
    return text.end("next,pool")


def autoencoder(weights: int = 15, activations: int = 15) -> str:
    """Down by strides and a pool whose places are kept, up by Unpool, Resize and Deconv."""
    text = Text(weights=weights, activations=activations)
    text.conv("c0", "sp", 4, RECTIFIED)
    text.cell("p0", "Pool", "c0", 4, "Pooling=Max", "PoolSize=2", "Stride=2", "Mapping.Size=1")
    text.conv("c1", "p0", 4, LINEAR, "Stride=2")
    quantized = ["QWeight=SAT", f"QWeight.Range={weights}"]
    text.cell("d1", "Deconv", "c1", 4, "KernelSize=2", "Stride=2", *quantized, RECTIFIED)
    text.cell("u0", "Unpool", "d1", 4, "ArgMax=p0", "PoolSize=2", "Stride=2")
    text.cell("d2", "Deconv", "u0", 3, "KernelSize=3", "Padding=1", "NoBias=1", *quantized)
    text.cell("b2", "BatchNorm", "d2", 3, SIGNED)
    text.cell("r2", "Resize", "b2", 3, "OutputWidth=5", "OutputHeight=11", "Mode=Bilinear")
    return text.end("r2")


def oddities(weights: int = 15, activations: int = 15) -> str:
    """Every other cell and every operation of ElemWise."""
    text = Text(weights=weights, activations=activations)
    text.conv("c0", "sp", 4, SIGNED)
    text.conv("c1", "sp", 4, LINEAR)
    text.cell("scaled", "Scaling", "c0", 4, "Factor=0.5 -1 0.3 2")
    text.cell("weighted", "ElemWise", "c0,c1", 4, "Weights=0.3 -1.5", "Shifts=0.2 0.1")
    text.cell("channel", "ElemWise", "c0,c1", 4, "CoeffMode=PerChannel", "Weights=1 0.5 2 0.1", "Shifts=0 1 0.5 -1")
    text.cell("absolute", "ElemWise", "scaled,c1", 4, "Operation=AbsSum")
    text.cell("largest", "ElemWise", "weighted,c1", 4, "Operation=Max")
    text.cell("product", "ElemWise", "largest,absolute", 4, "Operation=Prod")
    text.cell("leaky", "Activation", "product", 4, "ActivationFunction=Rectifier\nActivationFunction.LeakSlope=0.1")
    saturation = ["ActivationFunction=Saturation", "ActivationFunction.Threshold=0.7"]
    text.cell("saturated", "Activation", "channel", 4, *saturation)
    text.cell("coarse", "Activation", "c0", 4, "ActivationFunction=Linear\nActivationFunction.Clipping=0.33")
    text.cell("above", "Threshold", "weighted", 4, "Threshold=0.1", "MaxValue=0.5")
    text.cell("cut", "Threshold", "c1", 4, "Threshold=0.35", "Operation=Truncate")
    text.cell("tozero", "Threshold", "leaky", 4, "Threshold=0.1", "Operation=ToZeroInverted")
    text.cell("padded", "Padding", "above", 4, "TopPadding=1", "BottomPadding=-1", "LeftPadding=-2", "RightPadding=2")
    text.cell("turned", "Transpose", "padded", 8, "Perm=2 1 0 3")
    text.cell("shaped", "Reshape", "turned", 4, "Dims=8 8 4")
    border = ["Pooling=Average", "PoolSize=3", "Padding=1", "CountIncludePad=0", "Mapping.Size=1"]
    text.cell("border", "Pool", "cut", 4, *border)
    text.cell("fractional", "FMP", "tozero", 4, "ScalingRatio=1.5", "Mapping.Size=1")
    text.cell("flat", "Fc", "fractional", 3, "QWeight=SAT", LINEAR)
    text.cell("island", "Softmax", "border", 4)
    text.cell("again", "Activation", "island", 4, "ActivationFunction=Linear\nQAct=SAT\nQAct.Range={a}\nQAct.Alpha=1")
    text.cell("tanh", "Activation", "c1", 4, "ActivationFunction=Tanh\nQAct=SAT\nQAct.Range={a}\nQAct.Alpha=1")
    text.conv("join", "again,shaped,saturated,coarse,tanh", 4, LINEAR)
    return text.end("join,flat")


def levels(weights: int = 15, activations: int = 15) -> str:
    """A quantizer of every kind, and zeros among levels that have none."""
    text = Text(weights=weights, activations=activations)
    quantizers = [
        ("QWeight=LSQ\nQWeight.Range=15", "QAct=LSQ\nQAct.Range=15\nQAct.Signed=1"),
        ("QWeight=Binary", "QAct=Binary"),
        ("QWeight=Ternary", "QAct=Ternary"),
        ("QWeight=APoT\nQWeight.Range=15", "QAct=APoT\nQAct.Range=15"),
        ("QWeight=LSQ\nQWeight.Levels=-4 -1 0 1 4", "QAct=LSQ\nQAct.Levels=-3 0 1 2 7"),
        ("QWeight=Prune\nQWeight.Quantizer=Binary\nQWeight.Threshold=0.3", "QAct=LSQ\nQAct.Levels=-3 1 2 7"),
        ("QWeight=DoReFa\nQWeight.Range=7", "QAct=DoReFa\nQAct.Range=7"),
        ("QWeight=SAT\nQWeight.Range=3", "QAct=PACT\nQAct.Range=7\nQAct.Alpha=2"),
    ]
    last = "sp"
    for index, (of_weights, of_activations) in enumerate(quantizers):
        text.cell(f"c{index}", "Conv", last, 4, "KernelSize=3", "Padding=1", of_weights)
        last = text.cell(f"b{index}", "BatchNorm", f"c{index}", 4, "ActivationFunction=Linear", of_activations)
        if of_activations in ("QAct=Binary", "QAct=LSQ\nQAct.Levels=-3 1 2 7"):  # no level is 0
            last = text.cell(f"p{index}", "Padding", last, 4, "TopPadding=1", "BottomPadding=-1")
            last = text.cell(f"t{index}", "Threshold", last, 4, "Threshold=1.5", "Operation=ToZeroInverted")
    return text.end(last)


def space(weights: int = 15, activations: int = 15) -> str:
    """Kernels and windows in three axes."""
    text = Text(weights=weights, activations=activations)
    text.parts = ["DefaultModel=Frame\n[sp]\nSize=6 5 4 2\nBatchSize=4\n"]
    quantized = ["QWeight=SAT", f"QWeight.Range={weights}"]
    text.cell("c0", "Conv", "sp", 3, "KernelDims=3 3 3", "PaddingDims=1 1 1", *quantized, RECTIFIED)
    text.cell("p0", "Pool", "c0", 3, "Pooling=Max", "PoolDims=2 2 2", "StrideDims=2 1 1", "Mapping.Size=1")
    text.cell("c1", "Conv", "p0", 3, "KernelDims=2 2 3", "StrideDims=1 1 1", *quantized, "NoBias=1")
    text.cell("b1", "BatchNorm", "c1", 3)
    text.cell("s1", "ElemWise", "b1,b1", 3, RECTIFIED)
    text.cell("d1", "Deconv", "p0", 2, "KernelDims=2 2 2", *quantized, LINEAR)
    text.cell("a1", "Pool", "d1", 2, "Pooling=Average", "PoolDims=2 2 2", "StrideDims=2 2 2", "Mapping.Size=1")
    return text.end("s1,a1")


def every() -> Iterator[tuple[str, str]]:
    """Name and text of each."""
    makers = (resnet_v1, resnet_v2, mobilenet_v1, mobilenet_v2, inception, autoencoder, oddities, levels, space)
    for make in makers:
        yield make.__name__, make()
