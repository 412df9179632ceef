"""Broader names over the 1000 ImageNet classes, for what a classifier is sure of as a kind only.

A picture of a dog of no particular breed spreads its probability over dozens of breeds; summed over
the kind, it is still a sure dog. Ranges are of ImageNet-1k class indices, ends included.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_RANGES: dict[str, tuple[int | tuple[int, int], ...]] = {
    "shark": ((2, 4),),
    "fish": ((0, 6), (389, 397)),
    "bird": ((7, 24), (80, 100), (127, 146)),
    "amphibian": ((25, 32),),
    "turtle": ((33, 37),),
    "lizard": ((38, 48),),
    "crocodile": ((49, 50),),
    "snake": ((52, 68),),
    "spider": ((72, 77), 70),
    "crab or lobster": ((118, 125),),
    "sea mammal": ((147, 150),),
    "dog": ((151, 268),),
    "wolf or wild dog": ((269, 276),),
    "fox": ((277, 280),),
    "cat": ((281, 285),),
    "big cat": ((286, 293),),
    "bear": ((294, 297),),
    "beetle": ((300, 307),),
    "insect": ((300, 326),),
    "butterfly": ((321, 326),),
    "rabbit": ((330, 332),),
    "hoofed animal": ((339, 355),),
    "monkey or ape": ((365, 384),),
    "elephant": ((385, 386), 101),
    "aircraft": (404, 405, 895, 908),
    "boat": (403, 472, 484, 510, 554, 576, 625, 628, 724, 780, 814, 871, 914),
    "car": (407, 436, 468, 511, 581, 609, 627, 656, 661, 751, 817),
    "truck": (555, 569, 675, 717, 734, 803, 864, 867),
    "farm or off-road vehicle": (408, 586, 595, 609, 621, 730, 803, 847, 856, 866),
    "train": (466, 547, 565, 705, 820, 829),
    "bicycle or motorbike": (444, 665, 670, 671, 870, 880),
    "rocket": (657, 744, 812),
    "screen": (527, 598, 620, 664, 681, 782, 851, 916),
    "camera": (732, 759),
    "keyboard instrument": (579, 687, 878, 881, 508),
    "musical instrument": (
        *(401, 402, 420, 432, 486, 513, 541, 546, 558, 566, 579, 593, 594, 642, 683, 684, 687),
        *(699, 776, 822, 875, 881, 889),
    ),
    "ball": (429, 430, 522, 574, 722, 768, 805, 852, 890),
    "clock or watch": (409, 530, 531, 826, 892),
    "weapon": (413, 471, 763, 764),
    "formal clothing": (451, 457, 834, 906, 982),
    "clothing": (399, 400, 474, 578, 608, 610, 614, 617, 655, 697, 735, 824, 841, 869, 834),
    "hat or helmet": (433, 439, 452, 515, 518, 560, 667, 715, 808),
    "shoe": (502, 514, 630, 770, 774),
    "bag": (414, 636, 728, 748),
    "cup or glass": (441, 504, 572, 647, 967, 968, 969, 550),
    "bottle": (440, 720, 737, 898, 899, 901, 907),
    "cooking pot or bowl": (469, 505, 521, 544, 567, 618, 659, 809, 849, 909, 910, 926),
    "soup or noodle dish": (809, 925, 926, 959),
    "dish of food": ((924, 929), (933, 935), (959, 965), 923, 987),
    "baked food": ((930, 932), 961, 963, 964),
    "vegetable": ((936, 946),),
    "fruit": ((948, 957),),
    "mushroom": ((991, 997), 947),
    "flower": ((984, 986),),
    "place of worship": (497, 663, 668, 832, 406),
    "grand building": (483, 497, 538, 663, 668, 682, 698, 708, 832, 873, 884, 442),
    "bridge": (821, 839, 888),
    "tower": (437, 442, 900),
    "shore or lake": ((975, 978), 460),
    "mountain landscape": (970, 972, 979, 980),
    "natural landscape": ((972, 980), 970),
    "furniture": (453, 493, 520, 526, 532, 553, 559, 564, 703, 765, 831, 857, 894),
}


def _members(entries: tuple[int | tuple[int, int], ...]) -> frozenset[int]:
    spans = [entry if isinstance(entry, tuple) else (entry, entry) for entry in entries]
    return frozenset(index for first, last in spans for index in range(first, last + 1))


KINDS: Mapping[str, frozenset[int]] = MappingProxyType(
    {name: _members(entries) for name, entries in _RANGES.items()}
)
