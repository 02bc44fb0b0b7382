; The cells of ResNet-18 for ImageNet (He et al. 2015, table 1).
; CLASSES: number of classes. TOP_N: besides top-1, top-N is logged.

[stem@templates/resnet_stem.ini.tpl]

[res2_1@templates/resnet_basic_block.ini.tpl]
INPUT=pool1
NB_OUTPUTS=64
STRIDE=1

[res2_2@templates/resnet_basic_block.ini.tpl]
INPUT=res2_1.sum
NB_OUTPUTS=64
STRIDE=1

[res3_1@templates/resnet_basic_block.ini.tpl]
INPUT=res2_2.sum
NB_OUTPUTS=128
STRIDE=2
PROJECT=1

[res3_2@templates/resnet_basic_block.ini.tpl]
INPUT=res3_1.sum
NB_OUTPUTS=128
STRIDE=1

[res4_1@templates/resnet_basic_block.ini.tpl]
INPUT=res3_2.sum
NB_OUTPUTS=256
STRIDE=2
PROJECT=1

[res4_2@templates/resnet_basic_block.ini.tpl]
INPUT=res4_1.sum
NB_OUTPUTS=256
STRIDE=1

[res5_1@templates/resnet_basic_block.ini.tpl]
INPUT=res4_2.sum
NB_OUTPUTS=512
STRIDE=2
PROJECT=1

[res5_2@templates/resnet_basic_block.ini.tpl]
INPUT=res5_1.sum
NB_OUTPUTS=512
STRIDE=1

[classifier@templates/classifier.ini.tpl]
INPUT=res5_2.sum
CLASSES={{CLASSES}}
TOP_N={{TOP_N}}
