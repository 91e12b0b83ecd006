"""Writes pillow-bilinear.json: crops of a made-up image, resized by Pillow's BILINEAR. Made with pillow 9.4, the reference's time; pillow 13 resizes along
columns first where that is less work, which changes the last bit of some pixels."""
import json
from pathlib import Path

from PIL import Image, __version__

cases = [
    # (width, height), (left, top, width, height), (to width, to height)
    ((8, 8), (0, 0, 8, 8), (8, 8)),
    ((8, 8), (1, 2, 5, 4), (8, 8)),
    ((8, 8), (0, 0, 8, 8), (4, 4)),
    ((8, 8), (0, 0, 8, 8), (3, 5)),
    ((9, 7), (0, 0, 9, 7), (5, 3)),
    ((31, 17), (3, 1, 27, 15), (8, 8)),
    ((31, 17), (30, 16, 1, 1), (4, 4)),
    ((64, 64), (7, 11, 40, 52), (32, 32)),
    ((64, 64), (0, 0, 64, 64), (7, 7)),
    ((100, 40), (13, 5, 83, 31), (16, 24)),
]


def pixels(width, height):
    return bytes((i * i * 31 + i * 17 + (i >> 3) * 101) % 256 for i in range(width * height * 3))


out = []
for (width, height), (left, top, w, h), to in cases:
    image = Image.frombytes("RGB", (width, height), pixels(width, height))
    resized = image.crop((left, top, left + w, top + h)).resize(to, Image.BILINEAR)
    out.append(
        {
            "image": [width, height],
            "box": [left, top, w, h],
            "to": list(to),
            "rgb": resized.tobytes().hex(),
        }
    )
Path(__file__).with_suffix(".json").write_text(json.dumps({"pillow": __version__, "cases": out}, indent=1) + "\n")
