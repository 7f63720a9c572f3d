"""Compresses a text by zlib (level 6), and expands it again to be sure. Says what became of it."""
import zlib

import serve
import text_pb2 as pb


def compress(request, _):
    text = request.text.encode()
    packed = zlib.compress(text, 6)
    if zlib.decompress(packed) != text:
        raise ValueError("what was compressed cannot be expanded")
    return pb.Text(text=f"crc32 {zlib.crc32(text):08x} bytes {len(text)} compressed {len(packed)}")


serve.listen(50051, "usweep.Compression", {"Compress": (compress, pb.Text)})
