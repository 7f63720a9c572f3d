"""Requests of names-python. The network is computed here in plain Python, in double precision; where two letters are so
close that rounding could decide, the request is refused when it is made."""
import json
import math
import sys

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UNITS, LENGTH = 128, 12


def matrix(seed, rows, columns, scale):
    out = []
    for _ in range(rows):
        row = []
        for _ in range(columns):
            seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
            row.append(((seed >> 40) / 2**23 - 1) * scale)
        out.append(row)
    return out


INPUT, STATE, OUTPUT = matrix(1, UNITS, 26, 1.0), matrix(2, UNITS, UNITS, 0.15), matrix(3, 26, UNITS, 1.0)


def dot(row, state):
    return math.fsum(a * b for a, b in zip(row, state))


def advance(state, letter):
    return [math.tanh(INPUT[i][LETTERS.index(letter)] + dot(STATE[i], state)) for i in range(UNITS)]


def written(beginning):
    text, state = beginning, [0.0] * UNITS
    for letter in beginning:
        state = advance(state, letter)
    for _ in range(LENGTH):
        scores = sorted(((dot(OUTPUT[i], state), LETTERS[i]) for i in range(26)), reverse=True)
        if scores[0][0] - scores[1][0] < 1e-3:
            sys.exit(f"names.py: '{beginning}' comes to a letter that rounding decides; take another")
        text += scores[0][1]
        state = advance(state, scores[0][1])
    return text


print(json.dumps([{
    "grpc": "usweep.Names/Generate", "proto": "text.proto", "request": {"text": beginning},
    "answer": {"text": written(beginning)},
} for beginning in ("a", "mar", "xavier")], indent=1))
