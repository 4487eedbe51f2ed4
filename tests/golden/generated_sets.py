"""Golden rows of the generators ctr, shapes and density: writes generated-sets.json beside this file.

Versions: Python 3.11 or newer, numpy 2. Seed 1. Command:

    pip install numpy && python3 tests/golden/generated_sets.py

The formulas stand in the comments of src/data/generators/{ctr,shapes,density}.ts and are written here a second time, densities as the plain
sum of 64 waves. u and z are the counter-based numbers of src/rng.ts.
"""

import json
import pathlib

import numpy as np

TEST = 2**31
MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def words(stream, row, count, seed=1):
    """Words 0 to count - 1 of (seed, stream, row): Philox4x32-10."""
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    c = [np.full_like(blocks, row & 0xFFFFFFFF), np.full_like(blocks, row >> 32), blocks, np.zeros_like(blocks)]
    k0, k1 = seed, stream
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> HALF) ^ c[1] ^ np.uint64(k0), b & MASK, (a >> HALF) ^ c[3] ^ np.uint64(k1), a & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).reshape(-1)[:count]


def u(stream, row, count):
    return (words(stream, row, count).astype(np.float64) + 0.5) / 2.0**32


def z(stream, row, count):
    pairs = u(stream, row, count + count % 2).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(pairs[:, 0])), 2 * np.pi * pairs[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count]


def ctr(row, values, weights):
    chosen = np.floor(values * u(1, row, 20) ** 4).astype(int)
    ids = chosen + values * np.arange(20)
    logit = -2 + 0.4 * weights[ids].sum() + weights[(31 * chosen[0] + chosen[1]) % values]
    return ids.tolist(), int(u(2, row, 1)[0] < 1 / (1 + np.exp(-logit)))


def shapes(row):
    drawn = u(1, row, 16)
    image, labels = np.zeros((64, 64)), np.zeros((64, 64), int)
    y, x = np.mgrid[0:64, 0:64]
    for shape in range(1 + int(3 * drawn[0])):
        kind, cy, cx, radius, value = drawn[1 + 5 * shape : 6 + 5 * shape]
        dy, dx, reach = abs(y - 8 - 48 * cy), abs(x - 8 - 48 * cx), 4 + 8 * radius
        norm = [np.hypot(dy, dx), np.maximum(dy, dx), dy + dx][int(3 * kind)]
        image[norm <= reach] = 0.4 + 0.6 * value
        labels[norm <= reach] = int(3 * kind) + 1
    return image + 0.2 * z(2, row, 4096).reshape(64, 64), labels


def density(row):
    drawn = u(1, row, 260)
    exponent = 0.5 + 3 * drawn[0]
    k = np.floor(17 * drawn[4:196].reshape(64, 3)) - 8
    k[(k == 0).all(1)] = [1, 0, 0]
    grid = np.stack(np.mgrid[0:32, 0:32, 0:32])
    field = np.zeros((32, 32, 32))
    for wave in range(64):
        angle = 2 * np.pi * (np.tensordot(k[wave], grid, 1) / 32 + drawn[196 + wave])
        field += (k[wave] ** 2).sum() ** (-exponent / 4) * np.cos(angle)
    field = (field - field.mean()) / field.std()
    return field + 0.3 * z(2, row, 32768).reshape(32, 32, 32), (exponent - 0.5) / 3


def golden():
    weights = z_of_rows(20 * 5000)
    clicks = [ctr(row, 5000, weights) for row in range(500)]
    images = {str(row): shapes(row) for row in (0, 1, TEST + 1)}
    volumes = {str(row): density(row) for row in (0, TEST + 1)}
    return {
        "ctr": {"ids": {"7": clicks[7][0], str(TEST + 3): ctr(TEST + 3, 5000, weights)[0]}, "targets": [y for _, y in clicks]},
        "shapes": {
            row: {"pixels": image[30, 20:28].tolist(), "labelCounts": np.bincount(labels.reshape(-1), minlength=4).tolist(), "sum": image.sum()}
            for row, (image, labels) in images.items()
        },
        "density": {row: {"voxels": field[5, 7, :8].tolist(), "last": field[31, 31, 31], "target": target} for row, (field, target) in volumes.items()},
    }


def z_of_rows(count):
    """z(1, 0, row, 0) for row < count."""
    return np.array([z(0, row, 1)[0] for row in range(count)])


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("generated-sets.json")
    path.write_text(json.dumps(golden()) + "\n")
