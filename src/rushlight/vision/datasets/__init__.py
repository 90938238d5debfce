"""Data sets of images, in torchvision's on-disk layouts: ``torchvision.datasets``.

With ``download=True`` files are brought once, checked, and unpacked; without, or offline, one
sentence says which file belongs into which folder.

Example:
    >>> from rushlight.vision import datasets
    >>> len(datasets.FakeData(size=20))
    20
"""

from .caltech import Caltech101, Caltech256
from .cifar import CIFAR10, CIFAR100
from .coco import CocoCaptions, CocoDetection
from .dtd import DTD
from .eurosat import EuroSAT
from .fakedata import FakeData
from .flowers102 import Flowers102
from .folder import DatasetFolder, ImageFolder
from .food101 import Food101
from .gtsrb import GTSRB
from .imagenet import ImageNet
from .imagenette import Imagenette
from .mnist import EMNIST, KMNIST, MNIST, FashionMNIST
from .oxford_iiit_pet import OxfordIIITPet
from .qmnist import QMNIST
from .stl10 import STL10
from .svhn import SVHN
from .usps import USPS
from .vision import VisionDataset
from .voc import VOCDetection, VOCSegmentation
from .wrapped import wrap_dataset_for_transforms_v2

__all__ = [
    "CIFAR10", "CIFAR100", "Caltech101", "Caltech256", "CocoCaptions", "CocoDetection", "DTD",
    "DatasetFolder", "EMNIST", "EuroSAT", "FakeData", "FashionMNIST", "Flowers102", "Food101",
    "GTSRB", "ImageFolder", "ImageNet", "Imagenette", "KMNIST", "MNIST", "OxfordIIITPet", "QMNIST",
    "STL10", "SVHN", "USPS", "VOCDetection", "VOCSegmentation", "VisionDataset",
    "wrap_dataset_for_transforms_v2",
]  # fmt: skip
