"""Golden numbers of the data sets ptb, tinyshakespeare, multi30k and cora: writes text-sets.json beside this file.

Versions: Python 3.11 or newer, numpy 2. Command, with the folder that has ptb/, tinyshakespeare/ …:

    pip install numpy && TUTTI_DATA=data python3 tests/golden/text_sets.py

A digest of an array of whole numbers v is the sum of (n mod 997 + 1)(v_n + 2) over its elements in order, which orders and values both change.
"""

import collections
import gzip
import json
import os
import pathlib
import re

import numpy as np

ROOT = pathlib.Path(os.environ["TUTTI_DATA"])


def text(path):
    with gzip.open(ROOT / path, "rt", encoding="utf8", newline="\n") as file:
        return file.read()


def digest(values):
    flat = np.asarray(values, dtype=np.int64).reshape(-1)
    return int(((np.arange(len(flat)) % 997 + 1) * (flat + 2)).sum())


def ptb(streams=20, width=35):
    def tokens(part):
        return [word for line in text(f"ptb/ptb.{part}.txt.gz").splitlines() for word in [*line.split(), "<eos>"]]

    train = tokens("train")
    ids = {}
    for word in train:
        ids.setdefault(word, len(ids))
    whole = np.array([ids[word] for word in train])[:232_397]
    length = len(whole) // streams
    table = whole[: length * streams].reshape(streams, length)
    starts = range(0, length - width, width)
    rows = [table[stream, start : start + width] for start in starts for stream in range(streams)]
    targets = [table[stream, start + 1 : start + 1 + width] for start in starts for stream in range(streams)]
    return {"words": len(ids), "rows": len(rows), "features": digest(rows), "targets": digest(targets)}


def multi30k(limit=40):
    def tokens(path):
        return [re.findall(r"\w+|[^\w\s]", line.lower()) for line in text(path).split("\n")[:-1]]

    def vocabulary(lines):
        counts = collections.Counter(word for line in lines for word in line)
        return {word: n + 4 for n, word in enumerate(sorted([w for w in counts if counts[w] >= 2], key=lambda w: (-counts[w], w)))}

    def encode(lines, ids):
        return [[ids.get(word, 3) for word in line[:limit]] for line in lines]

    def padded(ids, fill):
        return ids + [fill] * (limit + 1 - len(ids))

    english, german = tokens("multi30k-en-de/train.en.gz"), tokens("multi30k-en-de/train.de.gz")
    source, target = vocabulary(english[:10_000]), vocabulary(german[:10_000])
    pairs = list(zip(encode(english, source), encode(german, target)))
    return {
        "source": len(source) + 4,
        "target": len(target) + 4,
        "features": digest([padded([*e, 2], 0) + padded([1, *g], 0) for e, g in pairs]),
        "targets": digest([padded([*g, 2], -1) for _, g in pairs]),
    }


def shakespeare():
    content = text("tinyshakespeare/input.txt.gz")
    alphabet = {sign: n for n, sign in enumerate(sorted(set(content)))}
    ids = np.array([alphabet[sign] for sign in content])[int(0.9 * len(content)) :]
    rows = (len(ids) - 1) // 64
    return {"signs": len(alphabet), "rows": rows, "features": digest(ids[: rows * 64]), "targets": digest(ids[1 : rows * 64 + 1])}


def cora():
    nodes = [line.split("\t") for line in text("cora/nodes.tsv.gz").splitlines()]
    shares = np.zeros((len(nodes), 1433), np.float32)
    for node, _, words in nodes:
        shares[int(node), [int(word) for word in words.split()]] = 1
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    splits = json.loads((ROOT / "cora/splits.json").read_text())
    topics = np.full(len(nodes), -1)
    topics[splits["test"]] = [int(nodes[node][1]) for node in splits["test"]]
    return {"features": digest(np.round(shares * 1e6)), "testTopics": digest(topics), "sum": float(shares.astype(np.float64).sum())}


if __name__ == "__main__":
    golden = {"ptb": ptb(), "multi30k": multi30k(), "tinyshakespeare": shakespeare(), "cora": cora()}
    pathlib.Path(__file__).with_name("text-sets.json").write_text(json.dumps(golden) + "\n")
