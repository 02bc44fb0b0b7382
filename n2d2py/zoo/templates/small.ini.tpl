; Three convolutions with BatchNorm and maximum pooling, and one fully connected layer.
; The main file defines Weights_def (what quantizes weights) and Act_def (activation and its quantizer).

[bn.config]
Solvers=Adam
Solvers.LearningRate=0.002

[Conv_def] Weights_def
Type=Conv
KernelSize=3
Padding=1

[Bn_def] Act_def
Type=BatchNorm
ConfigSection=bn.config

[Pool_def]
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
Mapping.Size=1

[conv1] Conv_def
Input=sp
NbOutputs=32

[bn1] Bn_def
Input=conv1
NbOutputs=32

[pool1] Pool_def
Input=bn1
NbOutputs=32

[conv2] Conv_def
Input=pool1
NbOutputs=64

[bn2] Bn_def
Input=conv2
NbOutputs=64

[pool2] Pool_def
Input=bn2
NbOutputs=64

[conv3] Conv_def
Input=pool2
NbOutputs=128

[bn3] Bn_def
Input=conv3
NbOutputs=128

[pool3] Pool_def
Input=bn3
NbOutputs=128

[fc] Weights_def
Type=Fc
Input=pool3
NbOutputs=10

; What signs cannot scale is scaled here, for the softmax.
[bn4]
Type=BatchNorm
Input=fc
NbOutputs=10
ConfigSection=bn.config

[softmax]
Input=bn4
Type=Softmax
NbOutputs=10
WithLoss=1

[softmax.Target]
