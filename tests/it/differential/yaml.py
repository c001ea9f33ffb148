"""Compares what PyYAML makes of documents and of what was written of them.

Reads JSON lines {"document": text, "written": text or null}, writes one word a line:
same, neither (both refuse), refused (only the other side does), more (only PyYAML does), and differs, crashes
with a reason after it.
"""
import io, json, math, sys, yaml

C = getattr(yaml, "CSafeLoader", None)


def load(text, loader):
    # As Hermes opens it: text mode, with \r\n and \r read as \n.
    stream = io.TextIOWrapper(io.BytesIO(text.encode("utf-8")), encoding="utf-8")
    data = yaml.load(stream, Loader=loader) or {}
    if not isinstance(data, dict):
        raise ValueError("not a mapping")
    return data


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(x, y) and same(v, w) for (x, v), (y, w) in zip(a.items(), b.items()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


for line in sys.stdin:
    case = json.loads(line)
    try:
        theirs = load(case["document"], C)
    except Exception as error:
        theirs = None
    if case["written"] is None:
        print("neither" if theirs is None else "refused")
        continue
    try:
        ours = [load(case["written"], loader) for loader in (C, yaml.SafeLoader)]
    except Exception as error:
        print("crashes", repr(error).replace("\n", " "))
        continue
    if theirs is None:
        print("more")
    elif all(same(theirs, mapping) for mapping in ours):
        print("same")
    else:
        print("differs", repr(theirs)[:300].replace("\n", " "), "|", repr(ours[0])[:300].replace("\n", " "))
