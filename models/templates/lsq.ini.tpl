; What the cells of a network that learns with LSQ have in common (Esser et al. 2019, "Learned step size quantization",
; arXiv:1902.08153). Weights and activations are quantized, first and last layer at 8 bits.
; LEARNING_RATE, DECAY, EPOCHS: as in float.ini.tpl.
; WEIGHTS_RANGE, ACTIVATIONS_RANGE: 2^bits - 1.

[solver.config]
Solvers.LearningRate={{LEARNING_RATE}}
Solvers.LearningRatePolicy=CosineDecay
Solvers.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
Solvers.Momentum=0.9
Solvers.Decay={{DECAY}}

[nobias.config]
NoBias=1

[Weights_def]
QWeight=LSQ
QWeightSolver=SGD
QWeightSolver.LearningRate={{LEARNING_RATE}}
QWeightSolver.LearningRatePolicy=CosineDecay
QWeightSolver.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
QWeightSolver.Momentum=0.9

[Inner_def] Weights_def
QWeight.Range={{WEIGHTS_RANGE}}

[Outer_def] Weights_def
QWeight.Range=255

[Step_def]
QAct=LSQ
QAct.Range={{ACTIVATIONS_RANGE}}
QActSolver=SGD
QActSolver.LearningRate={{LEARNING_RATE}}
QActSolver.LearningRatePolicy=CosineDecay
QActSolver.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
QActSolver.Momentum=0.9

; The highest level bounds the rectifier, as 6 does in the MobileNets.
[Rectifier_def] Step_def
ActivationFunction=Rectifier

; What is not rectified has levels below zero.
[Linear_def] Step_def
ActivationFunction=Linear
QAct.Signed=1

[conv_def]
Type=Conv
WeightsFiller=HeFiller
WeightsFiller.VarianceNorm=FanOut
ConfigSection=solver.config,nobias.config

[Conv_def] conv_def Inner_def

; Of shortcuts, where they change size or channels.
[Project_def] Conv_def

[First_def] conv_def Outer_def

[Bn_def]
Type=BatchNorm
ConfigSection=solver.config

[BnLinear_def] Bn_def Linear_def

[BnRectifier_def] Bn_def Rectifier_def

[sum_def]
Type=ElemWise
Operation=Sum

[Sum_def] sum_def Linear_def

[SumRectifier_def] sum_def Rectifier_def

[fc_def]
Type=Fc
WeightsFiller=XavierFiller
BiasFiller=ConstantFiller
BiasFiller.Value=0
ConfigSection=solver.config

[Fc_def] fc_def Inner_def

[Last_def] fc_def Outer_def
