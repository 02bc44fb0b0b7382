; LeNet with BatchNorm on digits of 32x32 pixels, shifted by up to two pixels while learning.
; The main file defines Conv_def, Fc_def, Bn_def, and First_def and Last_def for the first and the last layer.

[database]
Type=MNIST_IDX_Database

[sp]
SizeX=32
SizeY=32
BatchSize=256

[sp.Transformation-rescale]
Type=RescaleTransformation
Width=32
Height=32

; Learning sees 32x32 pixels out of 36x36.
[sp.Transformation-pad]
Type=PadCropTransformation
Width=36
Height=36
BorderType=ConstantBorder
ApplyTo=LearnOnly

[sp.Transformation-shift]
Type=SliceExtractionTransformation
Width=32
Height=32
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly

[MaxPool_def]
Type=Pool
Pooling=Max
PoolSize=2
Stride=2
Mapping.Size=1

[Dropout_def]
Type=Dropout
Dropout=0.2

[conv1] First_def
Input=sp
KernelSize=5
NbOutputs=6

[bn1] Bn_def
Input=conv1
NbOutputs=6

[pool1] MaxPool_def
Input=bn1
NbOutputs=6

[conv2] Conv_def
Input=pool1
KernelSize=5
NbOutputs=16

[bn2] Bn_def
Input=conv2
NbOutputs=16

[pool2] MaxPool_def
Input=bn2
NbOutputs=16

[conv3] Conv_def
Input=pool2
KernelSize=5
NbOutputs=120

[bn3] Bn_def
Input=conv3
NbOutputs=120

[conv3.drop] Dropout_def
Input=bn3
NbOutputs=120

[fc1] Fc_def
Input=conv3.drop
NbOutputs=84

[bn4] Bn_def
Input=fc1
NbOutputs=84

[fc1.drop] Dropout_def
Input=bn4
NbOutputs=84

[fc2] Last_def
Input=fc1.drop
NbOutputs=10

[softmax]
Input=fc2
Type=Softmax
NbOutputs=10
WithLoss=1

[softmax.Target]
