; CNV (Umuroglu et al. 2017, "FINN", arXiv:1612.07119): six convolutions without padding, three fully connected layers.
; Weights begin uniformly in [-1, 1] and are clipped to it after each step; squared hinge loss.
; WEIGHTS, ACTIVATIONS: the quantizer, Binary (1 bit) or Ternary (2 bits without the lowest code).

[weights.config]
NoBias=1
WeightsSolver=Adam
WeightsSolver.LearningRate=0.005
WeightsSolver.Clamping=-1:1

[bn.config]
Epsilon=1e-4
Solvers=Adam
Solvers.LearningRate=0.005

[Weights_def]
WeightsFiller=UniformFiller
WeightsFiller.Min=-1
WeightsFiller.Max=1
QWeight={{WEIGHTS}}
QWeight.Scale=Constant
QWeight.ScaleValue=1
ConfigSection=weights.config

[Conv_def] Weights_def
Type=Conv
KernelSize=3

[Fc_def] Weights_def
Type=Fc

[Bn_def]
Type=BatchNorm
ActivationFunction=Linear
QAct={{ACTIVATIONS}}
QAct.ScaleValue=1
ConfigSection=bn.config

[Pool_def]
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
Mapping.Size=1

[conv1] Conv_def
Input=sp
NbOutputs=64

[bn1] Bn_def
Input=conv1
NbOutputs=64

[conv2] Conv_def
Input=bn1
NbOutputs=64

[bn2] Bn_def
Input=conv2
NbOutputs=64

[pool1] Pool_def
Input=bn2
NbOutputs=64

[conv3] Conv_def
Input=pool1
NbOutputs=128

[bn3] Bn_def
Input=conv3
NbOutputs=128

[conv4] Conv_def
Input=bn3
NbOutputs=128

[bn4] Bn_def
Input=conv4
NbOutputs=128

[pool2] Pool_def
Input=bn4
NbOutputs=128

[conv5] Conv_def
Input=pool2
NbOutputs=256

[bn5] Bn_def
Input=conv5
NbOutputs=256

[conv6] Conv_def
Input=bn5
NbOutputs=256

[bn6] Bn_def
Input=conv6
NbOutputs=256

[fc1] Fc_def
Input=bn6
NbOutputs=512

[bn7] Bn_def
Input=fc1
NbOutputs=512

[fc2] Fc_def
Input=bn7
NbOutputs=512

[bn8] Bn_def
Input=fc2
NbOutputs=512

[fc3] Fc_def
Input=bn8
NbOutputs=10

[bn9]
Type=BatchNorm
Input=fc3
NbOutputs=10
ConfigSection=bn.config

[bn9.Target]
Loss=SquaredHinge
