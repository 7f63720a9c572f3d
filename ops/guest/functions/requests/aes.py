"""Requests of the aes functions. The answers are computed by OpenSSL."""
import json
import subprocess

KEY, COUNTER = "2b7e151628aed2a6abf7158809cf4f3c", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
TEXTS = [
    "exampleplaintext", "Sixty-four characters of plain text, which are four whole blocks", "a",
    "\u00fcber 0123456789" * 9,
]


def encrypted(text):
    return subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", KEY, "-iv", COUNTER], input=text.encode(),
                          capture_output=True, check=True).stdout.hex()


print(json.dumps([{
    "grpc": "aes.Aes/ShowEncryption", "proto": "aes.proto",
    "request": {"plaintext_message": text}, "answer": {"encryption_info": encrypted(text)},
} for text in TEXTS], indent=1))
