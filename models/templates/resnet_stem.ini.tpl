; The first layers of the ImageNet ResNets: 7x7 convolution with stride 2, maximum over 3x3 with stride 2.

[conv1] First_def
Input=sp
KernelSize=7
Stride=2
Padding=3
NbOutputs=64

[bn1] BnRectifier_def
Input=conv1
NbOutputs=64

[pool1]
Input=bn1
Type=Pool
Pooling=Max
PoolSize=3
Stride=2
Padding=1
NbOutputs=64
Mapping.Size=1
