; What the cells of a network that learns with SAT have in common (Jin, Yang and Liao 2019, "Towards efficient training
; for neural network quantization"). Weights and activations are quantized, first and last layer at 8 bits.
; LEARNING_RATE, DECAY, EPOCHS: as in float.ini.tpl.
; WEIGHTS_RANGE, ACTIVATIONS_RANGE: 2^bits - 1. QUANTIZE: 0 for the first stage, which clamps the weights only.

[solver.config]
Solvers.LearningRate={{LEARNING_RATE}}
Solvers.LearningRatePolicy=CosineDecay
Solvers.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
Solvers.Momentum=0.9
Solvers.Decay={{DECAY}}

[nobias.config]
NoBias=1

[Rectifier_def]
{% if QUANTIZE == 0 %}
ActivationFunction=Rectifier
{% else %}
; The quantizer of SAT clamps to [0, alpha] itself.
ActivationFunction=Linear
QAct=SAT
QAct.Alpha=6.0
QAct.Range={{ACTIVATIONS_RANGE}}
QActSolver=SGD
QActSolver.LearningRate={{LEARNING_RATE}}
QActSolver.LearningRatePolicy=CosineDecay
QActSolver.MaxIterations=$({{EPOCHS}} * [sp]_EpochSize )
QActSolver.Momentum=0.9
QActSolver.Decay={{DECAY}}
{% endif %}

[Weights_def]
WeightsFiller=XavierFiller
WeightsFiller.VarianceNorm=FanOut
QWeight=SAT
QWeight.ApplyQuantization={{QUANTIZE}}

[Inner_def] Weights_def
QWeight.Range={{WEIGHTS_RANGE}}

[Outer_def] Weights_def
QWeight.Range=255

[conv_def]
Type=Conv
ConfigSection=solver.config,nobias.config

[Conv_def] conv_def Inner_def

; Of shortcuts, where they change size or channels.
[Project_def] Conv_def

[First_def] conv_def Outer_def

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

; A layer without BatchNorm behind it scales its weights.
[fc_def]
Type=Fc
QWeight.ApplyScaling=1
BiasFiller=ConstantFiller
BiasFiller.Value=0
ConfigSection=solver.config

[Fc_def] fc_def Inner_def

[Last_def] fc_def Outer_def
