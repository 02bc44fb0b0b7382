; CIFAR-10: images padded by four pixels, cropped at random and flipped to learn, as they are to test; values 2x - 1.

[database]
Type=CIFAR10_Database

[sp]
SizeX=32
SizeY=32
NbChannels=3
BatchSize=100

[sp.Transformation-1]
Type=RangeAffineTransformation
FirstOperator=Minus
FirstValue=127.5
SecondOperator=Divides
SecondValue=127.5

[sp.Transformation-2]
Type=PadCropTransformation
Width=40
Height=40
BorderType=ConstantBorder
ApplyTo=LearnOnly

[sp.OnTheFlyTransformation-3]
Type=SliceExtractionTransformation
Width=32
Height=32
RandomOffsetX=1
RandomOffsetY=1
ApplyTo=LearnOnly

[sp.OnTheFlyTransformation-4]
Type=FlipTransformation
RandomHorizontalFlip=1
ApplyTo=LearnOnly
