; What the cells of a network in floating point have in common.
; LEARNING_RATE, DECAY: of all weights. EPOCHS: over which the learning rate falls to zero (cosine).
; CLIPPING (optional): upper bound of the rectifier, 6 for the MobileNets.

[solver.config]
Solvers.LearningRate={{LEARNING_RATE}}
Solvers.LearningRatePolicy=CosineDecay
Solvers.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
Solvers.Momentum=0.9
Solvers.Decay={{DECAY}}

[nobias.config]
NoBias=1

[Rectifier_def]
ActivationFunction=Rectifier
{% if CLIPPING exists %}
ActivationFunction.Clipping={{CLIPPING}}
{% endif %}

[Conv_def]
Type=Conv
WeightsFiller=HeFiller
WeightsFiller.VarianceNorm=FanOut
ConfigSection=solver.config,nobias.config

[Bn_def]
Type=BatchNorm
ConfigSection=solver.config

; Of a residual's last BatchNorm: what is added to the shortcut.
[BnLinear_def] Bn_def

[BnRectifier_def] Bn_def Rectifier_def

; Cells with several inputs put them one behind the other; this one does nothing else.
[Concat_def]
Type=Activation
ActivationFunction=Linear

[Sum_def]
Type=ElemWise
Operation=Sum

[SumRectifier_def] Sum_def Rectifier_def

[Fc_def]
Type=Fc
WeightsFiller=XavierFiller
BiasFiller=ConstantFiller
BiasFiller.Value=0
ConfigSection=solver.config

; Projections of shortcuts, the first and the last layer, for networks that quantize them apart.
[Project_def] Conv_def

[First_def] Conv_def

[Last_def] Fc_def
