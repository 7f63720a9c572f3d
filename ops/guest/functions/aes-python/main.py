"""AES-128 in counter mode (NIST SP 800-38A) of a text, written out in Python: tables and bytes."""
import aes_pb2 as pb
import serve

# The key and the first counter block of the examples in NIST SP 800-38A, F.5.
KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
COUNTER = 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF


def double(x):
    x <<= 1
    return x ^ 0x11B if x & 0x100 else x


def make_box():
    """The substitution box: the inverse in GF(2^8), then an affine map."""
    exponents, x = [], 1
    for _ in range(255):
        exponents.append(x)
        x ^= double(x)
    logarithms = {value: power for power, value in enumerate(exponents)}
    box = []
    for value in range(256):
        inverse = exponents[-logarithms[value] % 255] if value else 0
        mixed = inverse
        for turn in range(1, 5):
            mixed ^= (inverse << turn | inverse >> (8 - turn)) & 255
        box.append(mixed ^ 0x63)
    return box


BOX = make_box()


def expand(key):
    words = [list(key[i:i + 4]) for i in range(0, 16, 4)]
    constant = 1
    for i in range(4, 44):
        word = words[-1]
        if i % 4 == 0:
            word = [BOX[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = double(constant)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def mix(column):
    a, b, c, d = column
    every = a ^ b ^ c ^ d
    return [
        a ^ every ^ double(a ^ b), b ^ every ^ double(b ^ c),
        c ^ every ^ double(c ^ d), d ^ every ^ double(d ^ a),
    ]


def encrypt(block, keys):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 11):
        state = [BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 10:
            state = [b for i in range(0, 16, 4) for b in mix(state[i:i + 4])]
        state = [a ^ b for a, b in zip(state, keys[number])]
    return bytes(state)


def show_encryption(request, _):
    text, keys, out = request.plaintext_message.encode(), expand(KEY), bytearray()
    for i in range(0, len(text), 16):
        counter = (COUNTER + i // 16) % (1 << 128)
        out += bytes(a ^ b for a, b in zip(text[i:i + 16], encrypt(counter.to_bytes(16, "big"), keys)))
    return pb.ReturnEncryptionInfo(encryption_info=out.hex())


serve.listen(50051, "aes.Aes", {"ShowEncryption": (show_encryption, pb.PlainTextMessage)})
