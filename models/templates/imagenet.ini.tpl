; ImageNet (ILSVRC 2012): random resized crops and flips to learn, the centre of the image to validate and to test.
; SIZE: width and height of the network's input. BATCH_SIZE: stimuli in a batch.
; The values that enter the network are normalised by the mean and deviation of each channel (R, G, B).

[database]
Type=ILSVRC2012_Database
RandomPartitioning=0
Learn=1.0

[sp]
SizeX={{SIZE}}
SizeY={{SIZE}}
NbChannels=3
BatchSize={{BATCH_SIZE}}

[sp.Transformation-1]
Type=ColorSpaceTransformation
ColorSpace=RGB

[sp.Transformation-2]
Type=RandomResizeCropTransformation
Width={{SIZE}}
Height={{SIZE}}
ScaleMin=0.2
ScaleMax=1.0
RatioMin=0.75
RatioMax=1.33
ApplyTo=LearnOnly

[sp.Transformation-3]
Type=RescaleTransformation
Width=$({{SIZE}} * 8 // 7)
Height=$({{SIZE}} * 8 // 7)
KeepAspectRatio=1
ResizeToFit=0
ApplyTo=NoLearn

[sp.Transformation-4]
Type=PadCropTransformation
Width={{SIZE}}
Height={{SIZE}}
ApplyTo=NoLearn

[sp.Transformation-5]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=123.675 116.28 103.53
SecondOperator=Divides
SecondValue=58.395 57.12 57.375

[sp.OnTheFlyTransformation-6]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly
