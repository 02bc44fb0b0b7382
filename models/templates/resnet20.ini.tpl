; The cells of ResNet-20 for images of 32 x 32 pixels (He et al. 2015, section 4.2), with a projection where the shortcut
; changes size. CLASSES: number of classes. TOP_N: besides top-1, top-N is logged.

[conv1] First_def
Input=sp
KernelSize=3
Padding=1
NbOutputs=16

[bn1] BnRectifier_def
Input=conv1
NbOutputs=16

[res1_1@templates/resnet_basic_block.ini.tpl]
INPUT=bn1
NB_OUTPUTS=16
STRIDE=1

[res1_2@templates/resnet_basic_block.ini.tpl]
INPUT=res1_1.sum
NB_OUTPUTS=16
STRIDE=1

[res1_3@templates/resnet_basic_block.ini.tpl]
INPUT=res1_2.sum
NB_OUTPUTS=16
STRIDE=1

[res2_1@templates/resnet_basic_block.ini.tpl]
INPUT=res1_3.sum
NB_OUTPUTS=32
STRIDE=2
PROJECT=1

[res2_2@templates/resnet_basic_block.ini.tpl]
INPUT=res2_1.sum
NB_OUTPUTS=32
STRIDE=1

[res2_3@templates/resnet_basic_block.ini.tpl]
INPUT=res2_2.sum
NB_OUTPUTS=32
STRIDE=1

[res3_1@templates/resnet_basic_block.ini.tpl]
INPUT=res2_3.sum
NB_OUTPUTS=64
STRIDE=2
PROJECT=1

[res3_2@templates/resnet_basic_block.ini.tpl]
INPUT=res3_1.sum
NB_OUTPUTS=64
STRIDE=1

[res3_3@templates/resnet_basic_block.ini.tpl]
INPUT=res3_2.sum
NB_OUTPUTS=64
STRIDE=1

[classifier@templates/classifier.ini.tpl]
INPUT=res3_3.sum
CLASSES={{CLASSES}}
TOP_N={{TOP_N}}
