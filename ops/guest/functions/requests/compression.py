"""Requests of compression-python. The checksum is computed here bit by bit; how small a text becomes is zlib's affair,
and must only be below a bound."""
import json

WORDS = "the of and to in is that for it as was with be by on not he his but at are this have from or".split()


def crc32(data):
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0xEDB88320 if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF


def prose(length, seed):
    parts, size = [], 0
    while size < length:
        seed = (seed * 1103515245 + 12345) % 2**31
        parts.append(WORDS[seed // 65536 % len(WORDS)])
        size += len(parts[-1]) + 1
    return " ".join(parts)[:length]


def call(text, digits):
    return {"grpc": "usweep.Compression/Compress", "proto": "text.proto", "request": {"text": text},
            "matches": f"crc32 {crc32(text.encode()):08x} bytes {len(text)} compressed [0-9]{{1,{digits}}}$"}


print(json.dumps([call("a" * 1000, 2), call(prose(4000, 1), 4), call(prose(20000, 2), 4), call(prose(100000, 3), 5)],
                 indent=1))
