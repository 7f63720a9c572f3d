"""Inference: a recurrent network of characters (one layer, 128 units, single precision) writes on from a beginning. Its
weights are generated, not trained: the arithmetic is that of a real one, the names are not."""
import numpy
import serve
import text_pb2 as pb

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UNITS, LENGTH = 128, 12


def weights(seed, rows, columns, scale):
    """By a linear congruential generator, so that another program can make the same; requests/names.py does."""
    values = []
    for _ in range(rows * columns):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(((seed >> 40) / 2**23 - 1) * scale)
    return numpy.array(values, dtype=numpy.float32).reshape(rows, columns)


INPUT = weights(1, UNITS, len(LETTERS), 1.0)
STATE = weights(2, UNITS, UNITS, 0.15)
OUTPUT = weights(3, len(LETTERS), UNITS, 1.0)


def generate(request, _):
    text = "".join(letter for letter in request.text.lower() if letter in LETTERS) or "a"
    state = numpy.zeros(UNITS, dtype=numpy.float32)
    for letter in text:
        state = numpy.tanh(INPUT[:, LETTERS.index(letter)] + STATE @ state)
    for _ in range(LENGTH):
        letter = LETTERS[int(numpy.argmax(OUTPUT @ state))]
        text += letter
        state = numpy.tanh(INPUT[:, LETTERS.index(letter)] + STATE @ state)
    return pb.Text(text=text)


serve.listen(50051, "usweep.Names", {"Generate": (generate, pb.Text)})
