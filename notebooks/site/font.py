"""Make math.woff2, the part of Latin Modern Math that formulas of notebooks need.

    python -m pip install fonttools==4.68.0 brotli==1.2.1
    python font.py latinmodern-math.otf math.woff2

The GUST Font License asks that derived works have other names; this one is
"Notebook Math".
"""

import sys

from fontTools import subset
from fontTools.ttLib import TTFont

RANGES = [
    (0x20, 0x7E), (0xA0, 0xB7), (0xD7, 0xD7), (0xF7, 0xF7), (0x131, 0x131), (0x237, 0x237), (0x2C6, 0x2DC), (0x300, 0x312), (0x338, 0x338),
    (0x391, 0x3C9), (0x3D1, 0x3D6), (0x3F1, 0x3F5), (0x2010, 0x2026), (0x2032, 0x2034), (0x2061, 0x2063), (0x20D7, 0x20D7),
    (0x2102, 0x2135), (0x2190, 0x2199), (0x21A6, 0x21A6), (0x21D0, 0x21D5), (0x2200, 0x222B), (0x223C, 0x2297), (0x22A2, 0x22A5),
    (0x22C0, 0x22C6), (0x22EE, 0x22F1), (0x2308, 0x230B), (0x25A0, 0x25A1), (0x220E, 0x220E), (0x27E8, 0x27E9), (0x2A7D, 0x2A7E),
    (0x1D400, 0x1D467), (0x1D49C, 0x1D4B5), (0x1D538, 0x1D550), (0x1D6A8, 0x1D6E1), (0x1D6E2, 0x1D71B), (0x1D7D9, 0x1D7D9),
]  # fmt: skip

options = subset.Options(flavor="woff2", layout_features=["ssty", "dtls", "flac"], hinting=False, name_IDs=[0, 13, 14])
font = subset.load_font(sys.argv[1], options)
subsetter = subset.Subsetter(options)
subsetter.populate(unicodes=[u for first, last in RANGES for u in range(first, last + 1)])
subsetter.subset(font)
for identity, name in {1: "Notebook Math", 2: "Regular", 4: "Notebook Math", 6: "NotebookMath-Regular"}.items():
    font["name"].setName(name, identity, 3, 1, 0x409)
font["CFF "].cff.fontNames = ["NotebookMath-Regular"]
subset.save_font(font, sys.argv[2], options)
assert "MATH" in TTFont(sys.argv[2])
