; What the cells of a network have in common that learns on given levels with learned steps (LSQ; Esser et al. 2019,
; arXiv:1902.08153). Without WEIGHTS and ACTIVATIONS it is the network in floating point that they are compared with.
; LEARNING_RATE, DECAY: of all weights. EPOCHS: over which the learning rate falls to zero (cosine).
; WEIGHTS (optional): levels of the weights, -1 0 1. ACTIVATIONS (optional): levels of the activations, 0 1 2 3.
; ENDS (optional): the first and the last layer have these weights too. PROJECTIONS (optional): so have those of shortcuts.

[solver.config]
Solvers.LearningRate={{LEARNING_RATE}}
Solvers.LearningRatePolicy=CosineDecay
Solvers.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
Solvers.Momentum=0.9
Solvers.Decay={{DECAY}}

[nobias.config]
NoBias=1

[Levels_def]
{% if WEIGHTS exists %}
QWeight=LSQ
QWeight.Levels={{WEIGHTS}}
QWeightSolver=SGD
QWeightSolver.LearningRate={{LEARNING_RATE}}
QWeightSolver.LearningRatePolicy=CosineDecay
QWeightSolver.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
QWeightSolver.Momentum=0.9
{% endif %}

[Rectifier_def]
ActivationFunction=Rectifier
{% if ACTIVATIONS exists %}
QAct=LSQ
QAct.Levels={{ACTIVATIONS}}
QActSolver=SGD
QActSolver.LearningRate={{LEARNING_RATE}}
QActSolver.LearningRatePolicy=CosineDecay
QActSolver.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
QActSolver.Momentum=0.9
{% endif %}

[conv_def]
Type=Conv
WeightsFiller=HeFiller
WeightsFiller.VarianceNorm=FanOut
ConfigSection=solver.config,nobias.config

[fc_def]
Type=Fc
WeightsFiller=XavierFiller
BiasFiller=ConstantFiller
BiasFiller.Value=0
ConfigSection=solver.config

[Conv_def] conv_def Levels_def

{% if PROJECTIONS exists %}
[Project_def] Conv_def
{% else %}
[Project_def] conv_def
{% endif %}

{% if ENDS exists %}
[First_def] conv_def Levels_def

[Last_def] fc_def Levels_def
{% else %}
[First_def] conv_def

[Last_def] fc_def
{% endif %}

[Bn_def]
Type=BatchNorm
ConfigSection=solver.config

; Of a residual's last BatchNorm: what is added to the shortcut.
[BnLinear_def] Bn_def

[BnRectifier_def] Bn_def Rectifier_def

[Sum_def]
Type=ElemWise
Operation=Sum

[SumRectifier_def] Sum_def Rectifier_def
