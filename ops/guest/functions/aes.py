"""AES-128 in electronic-codebook mode (FIPS 197): hexadecimal plaintext in, ciphertext out. Tables and bytes."""

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")  # the key of the examples in NIST SP 800-38A


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


def answer(name):
    text, keys = bytes.fromhex(name), expand(KEY)
    if not text or len(text) % 16:
        raise ValueError("the plaintext must be whole blocks of 16 bytes")
    return b"".join(encrypt(text[i:i + 16], keys) for i in range(0, len(text), 16)).hex()
