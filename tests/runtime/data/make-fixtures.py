"""Makes the files that tests of data read: images with Pillow's own reading of them, tar shards, parquet files.

python tests/runtime/data/make-fixtures.py    needs Pillow, NumPy and pyarrow; the files are committed, so tests need none.
"""
import io
import json
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

here = Path(__file__).parent
WIDTH, HEIGHT = 33, 22
ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH]
smooth = np.stack(
    [xs * 255 / (WIDTH - 1), ys * 255 / (HEIGHT - 1), (xs + ys) * 255 / (WIDTH + HEIGHT - 2)], -1
).astype(np.uint8)
ramp = (xs * 65535 / (WIDTH - 1)).astype(np.uint16)


def png16(values, colour_type):
    """A PNG of 16 bits, which Pillow reads and does not write."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pillow():
    """Pillow's reading goes into one raw file: H·W·3 bytes for each image, in the order of names.json."""
    out = here / "pillow"
    image = Image.fromarray(smooth)
    alpha = Image.fromarray(np.dstack([smooth, smooth[..., 0]]), mode="RGBA")
    palette = image.quantize(16)
    cmyk = Image.fromarray(np.dstack([smooth, (ys * 4).astype(np.uint8)]), mode="CMYK")
    wide = (smooth.astype(np.uint32) * 257 - smooth % 7).astype(np.uint16)
    turned = Image.Exif()
    turned[0x112] = 6

    def saved(of, name, **how):
        of.save(out / name, **how)

    saved(image, "rgb.jpg", quality=90)
    saved(image, "progressive.jpg", quality=90, progressive=True)
    saved(image, "turned.jpg", quality=90, exif=turned)
    saved(image.convert("L"), "grey.jpg", quality=90)
    saved(cmyk, "cmyk.jpg", quality=90)
    adobe = (out / "cmyk.jpg").read_bytes()
    at = adobe.index(b"\xff\xee")
    (out / "cmyk-without-adobe.jpg").write_bytes(adobe[:at] + adobe[at + 2 + int.from_bytes(adobe[at + 2 : at + 4]) :])
    saved(palette, "palette.png")
    saved(palette, "palette-transparent.png", transparency=3)
    saved(alpha, "alpha.png")
    saved(Image.fromarray(smooth[..., :2].copy(), mode="LA"), "grey-alpha.png")
    saved(image.convert("1"), "one-bit.png")
    saved(Image.fromarray(ramp), "grey16.png")
    saved(Image.fromarray((xs * 8).astype(np.uint16)), "grey16-dark.png")
    (out / "rgb16.png").write_bytes(png16(wide, 2))
    (out / "rgba16.png").write_bytes(png16(np.dstack([wide, ramp]), 6))
    (out / "grey-alpha16.png").write_bytes(png16(np.dstack([ramp, ramp[::-1]]), 4))
    profiled = Image.open(io.BytesIO((out / "rgb.jpg").read_bytes()))
    saved(profiled, "profile.png", icc_profile=display_p3())
    saved(image, "lossy.webp", quality=90)
    saved(alpha, "alpha.webp", lossless=True, exact=True)
    saved(image, "lossy.avif", quality=90)
    saved(palette, "palette.gif")
    saved(palette, "transparent.gif", transparency=3)
    other = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).quantize(16)
    saved(palette, "two-pictures.gif", save_all=True, append_images=[other])
    saved(image, "lzw.tif", compression="tiff_lzw")
    saved(cmyk, "cmyk.tif", compression="tiff_lzw")
    saved(Image.fromarray(ramp), "grey16.tif", compression="tiff_lzw")
    names = sorted(path.name for path in out.iterdir() if path.suffix not in (".json", ".bin"))
    read = [Image.open(out / name).convert("RGB") for name in names]
    (out / "names.json").write_text(json.dumps(names) + "\n")
    (out / "pixels.bin").write_bytes(zlib.compress(b"".join(one.tobytes() for one in read), 9))


def display_p3():
    """A profile that sRGB is far from: what applies it gives other colours."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Red and blue change places.
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


def flat(red, green):
    """The colour says which image it is."""
    data = io.BytesIO()
    Image.new("RGB", (20, 16), (red, green, 7)).save(data, "PNG")
    return data.getvalue()


def shards():
    """The same members in each format of headers; the second name takes more than a header holds."""
    for form, name in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        long = "a/" * 10 + ("x" if name == "ustar" else "é" * 120)
        with tarfile.open(here / f"webdataset/made/{name}.tar", "w", format=form) as tar:
            for key, label in (("0001", 4), (long, 12)):
                for ending, data in (("png", flat(label, 0)), ("cls", str(label).encode())):
                    member = tarfile.TarInfo(f"./{key}.{ending}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))


def parquet_before_18():
    """As Arrow wrote it before 18 (`pip install pyarrow==17.0.0`), with a copy of its metadata behind each column."""
    rows = [(label, i) for i in range(3) for label in (0, 1)]
    for name, binary, text, whole, codec in (
        ("arrow-17", pa.binary(), pa.string(), pa.int64(), "snappy"),
        ("arrow-17-large", pa.large_binary(), pa.large_string(), pa.int32(), "zstd"),
    ):
        kind = pa.struct([("bytes", binary), ("path", text)])
        images = [{"bytes": flat(100 * label, 10 * i), "path": f"{i}.png"} for label, i in rows]
        table = pa.table([pa.array(images, kind), pa.array([label for label, _ in rows], whole)], ["image", "label"])
        pq.write_table(table, here / f"parquet/made/{name}.parquet", row_group_size=3, compression=codec)


def parquet():
    """20 images in two files of several row groups each, and 6 to validate on; of two classes with names."""
    out = here / "parquet/made"
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    }
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema(
        [("image", kind), ("label", pa.int64())], metadata={"huggingface": json.dumps({"info": {"features": features}})}
    )

    def table(rows, schema=schema):
        images = [{"bytes": flat(100 * label, 10 * i), "path": f"{i}.png"} for label, i in rows]
        return pa.table([pa.array(images, kind), pa.array([label for label, _ in rows], pa.int64())], schema=schema)

    rows = [(label, i) for i in range(10) for label in (0, 1)]
    pq.write_table(table(rows[:11]), out / "train-00000-of-00002.parquet", row_group_size=4, compression="snappy")
    pq.write_table(table(rows[11:]), out / "train-00001-of-00002.parquet", row_group_size=3, compression="zstd")
    pq.write_table(table([(1, 1), (0, 2), (1, 3), (0, 4), (1, 5), (1, 6)]), out / "validation-00000-of-00001.parquet")
    # Other ways to write the same.
    few = table(rows[:6])
    for codec in ("none", "gzip", "brotli", "lz4"):
        pq.write_table(few, out / f"codec-{codec}.parquet", compression=codec, row_group_size=3)
    pq.write_table(few, out / "pages-2.parquet", data_page_version="2.0", compression="snappy")
    plain = pa.table([pa.array([flat(0, i) for i in range(4)], pa.binary()), pa.array(list("ab") * 2)], ["img", "kind"])
    pq.write_table(plain, out / "plain-columns.parquet")
    holes = [{"bytes": flat(0, 0), "path": None}, None, {"bytes": None, "path": "x.png"}, {"bytes": b"", "path": None}]
    pq.write_table(pa.table([pa.array(holes, kind)], ["image"]), out / "holes.parquet")


if __name__ == "__main__":
    if pa.__version__ < "18":
        parquet_before_18()
    else:
        pillow()
        shards()
        parquet()
