; A residual of two 3x3 convolutions (He et al. 2015, "Deep residual learning for image recognition", figure 5, left).
; INPUT: the cell before. NB_OUTPUTS: channels. STRIDE: of the first convolution.
; PROJECT (optional): a 1x1 convolution makes the shortcut fit where size or channels change.

[{{SECTION_NAME}}.conv1] Conv_def
Input={{INPUT}}
KernelSize=3
Stride={{STRIDE}}
Padding=1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn1] BnRectifier_def
Input={{SECTION_NAME}}.conv1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.conv2] Conv_def
Input={{SECTION_NAME}}.bn1
KernelSize=3
Padding=1
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.bn2] BnLinear_def
Input={{SECTION_NAME}}.conv2
NbOutputs={{NB_OUTPUTS}}

{% if PROJECT exists %}
[{{SECTION_NAME}}.project] Project_def
Input={{INPUT}}
KernelSize=1
Stride={{STRIDE}}
NbOutputs={{NB_OUTPUTS}}

[{{SECTION_NAME}}.project_bn] BnLinear_def
Input={{SECTION_NAME}}.project
NbOutputs={{NB_OUTPUTS}}
{% endif %}

[{{SECTION_NAME}}.sum] SumRectifier_def
{% if PROJECT exists %}
Input={{SECTION_NAME}}.bn2,{{SECTION_NAME}}.project_bn
{% else %}
Input={{SECTION_NAME}}.bn2,{{INPUT}}
{% endif %}
NbOutputs={{NB_OUTPUTS}}
