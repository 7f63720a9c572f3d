"""The calls of the guest's invoker, made to servers that do what real ones do, and worse."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from servers import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, HTTP1, HTTP2, INDEXED, PADDED, PING,
                     RESET, STATUS_200, TYPE, field, listening, message)

ROOT = pathlib.Path(__file__).resolve().parents[3]
GUEST = ROOT / "ops/guest"
WRONG, STATUS, TIMEOUT, LOST = 3, 4, 5, 1
LONG = b"x" * 100_000


def setUpModule():
    global folder
    folder = tempfile.TemporaryDirectory()
    flags = subprocess.run([GUEST / "functions/build", "--nghttp2"], check=True, stdout=subprocess.PIPE, text=True)
    sources = [GUEST / f"{name}.c" for name in ("functions/call", "calls", "json", "wire", "http2", "http1")]
    subprocess.run(["cc", "-O1", "-g", "-static", "-Wall", "-Wextra", "-Werror", "-Wno-pointer-sign", "-o",
                    f"{folder.name}/call", *sources, *flags.stdout.split()], check=True)


def tearDownModule():
    folder.cleanup()


def make_calls(lines, port, times=1, patience=10, before=()):
    path = pathlib.Path(folder.name, "requests.calls")
    path.write_text("\n".join(lines) + "\n")
    return subprocess.run([*before, f"{folder.name}/call", path, "127.0.0.1", str(port), str(times), str(patience)],
                          capture_output=True, text=True, timeout=60)


def grpc(body, rule):
    return f"grpc /a.B/C {body.hex() or '-'} {rule}"


class CallsTests(unittest.TestCase):
    def expect(self, done, status, text):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(text, done.stdout + done.stderr)

    def call(self, serve, lines, status=0, text="as expected", **options):
        with listening(serve) as (port, connections):
            self.expect(make_calls(["usweep-calls 1", *lines], port, **options), status, text)
            return len(connections)

    def test_long_messages_pass_both_windows(self):
        echo = HTTP2(lambda server, stream, body: server.answer(stream, body))
        self.call(echo, [grpc(LONG, f"bytes {LONG.hex()}")], times=30)

    def test_continuation_padding_pings_and_dynamic_tables(self):
        count = 0

        def respond(server, stream, body):
            nonlocal count
            head = STATUS_200 + (INDEXED if count else field("content-type", "application/grpc", indexed=True))
            count += 1
            server.send(PING, 0, 0, b"12345678")
            server.send(HEADERS, 0, stream, head[:1])
            server.send(CONTINUATION, END_HEADERS, stream, head[1:])
            server.send(DATA, PADDED, stream, b"\x04" + body[:3] + b"\0\0\0\0")
            server.send(DATA, 0, stream, body[3:])
            server.send(HEADERS, END_STREAM, stream, field("grpc-status", "0")[:5])
            server.send(CONTINUATION, END_HEADERS, stream, field("grpc-status", "0")[5:])

        self.call(HTTP2(respond), [grpc(b"abc", f"bytes {b'abc'.hex()}")], times=5)
        self.assertEqual(count, 5)

    def test_a_server_that_leaves_is_called_on_another_connection(self):
        def respond(server, stream, body):
            server.send(GOAWAY, 0, 0, stream.to_bytes(4, "big") + bytes(4))
            server.answer(stream, body)
            raise ConnectionError

        self.assertEqual(self.call(HTTP2(respond), [grpc(b"abc", "bytes 616263")], times=3), 4)

    def test_statuses(self):
        def respond(server, stream, body):
            head = STATUS_200 + TYPE + field("grpc-status", "5") + field("grpc-message", "not here")
            server.send(HEADERS, END_HEADERS | END_STREAM, stream, head)

        self.call(HTTP2(respond), [grpc(b"", "bytes -")], STATUS, "gave status 5 'not here' (HTTP 200), not 0")
        self.call(HTTP2(respond), [grpc(b"", "status 5")])
        self.call(HTTP2(respond), [grpc(b"", "status 6")], STATUS, "not 6")

    def test_wrong_answers(self):
        echo = HTTP2(lambda server, stream, body: server.answer(stream, body))
        self.call(echo, [grpc(b"\x0a\x03abc", "bytes 0a03616264")], WRONG, "C(abc) gave 'abc', not 'abd'")
        self.call(echo, [grpc(b"abc", f"matches {b'^a.c$'.hex()}")])
        self.call(echo, [grpc(b"abc", f"matches {b'^b'.hex()}")], WRONG, "gave 'abc', not '^b'")
        self.call(echo, [grpc(b"abc", "any -")])
        halves = HTTP2(lambda server, stream, body: server.answer(stream, body[:-1]))
        self.call(halves, [grpc(b"abc", "bytes 616263")], WRONG, "7 bytes that are not one message")
        compressed = HTTP2(lambda server, stream, body: server.answer(stream, b"\1" + body[1:]))
        self.call(compressed, [grpc(b"abc", "bytes 616263")], WRONG, "not one message")

    def test_answers_in_json(self):
        given = (r'{"id": 7, "when": 1.5e1, "big": 12345678901234567890,'
                 r' "user": {"name": "M\u00fcller \ud83d\ude00", "tags": ["a", "b\\u"], "x": null}}').encode()
        right = ['{}', '{"id":7}', '{"when":15}', '{"user":{"name":"Müller \U0001f600"}}',
                 r'{"user":{"tags":["a","b\\u"]}}', '{"big":12345678901234567890}',
                 r'{ "user" : {"x":null} , "id":7.0 }', r'{"user":{"name":"M\u00FCller \uD83D\uDE00"}}']
        wrong = [('{"id":8}', "differs at id"), ('{"user":{"tags":["a","c"]}}', "differs at user.tags.1"),
                 ('{"user":{"tags":["a"]}}', "differs at user.tags"), ('{"user":{"age":1}}', "differs at user.age"),
                 ('{"id":"7"}', "differs at id"), ('{"user":{"x":false}}', "differs at user.x"),
                 ('[]', "which differs"),
                 ('{"big":12345678901234567891}', "differs at big"), ('{"user":[]}', "differs at user")]

        def line(wanted):
            return grpc(b"abc", f"json {wanted.encode().hex()}")

        for answer in (given, b"\x0a" + bytes([len(given) % 128 + 128, len(given) // 128]) + given):
            serve = HTTP2(lambda server, stream, body, answer=answer: server.answer(stream, message(answer)))
            self.call(serve, [line(wanted) for wanted in right], times=len(right))
            for wanted, text in wrong:
                self.call(serve, [line(wanted)], WRONG, text)
        for answer in (b"", b"abc", b'{"id":7', b'{"id":7}}', b'{"id":07}', b'{"id":"\\x"}', b'{"id":7}\0',
                       b"[" * 99 + b"]" * 99):
            serve = HTTP2(lambda server, stream, body, answer=answer: server.answer(stream, message(answer)))
            self.call(serve, [line('{"id":7}')], WRONG, "which is not JSON")
        numbers = [("12345678901234567890.0", "12345678901234567891.0", WRONG), ("1e999", "1e888", WRONG),
                   ("1e-999", "0", WRONG), ("1e-999", "1e-888", WRONG), ("-1.5", "1.5", WRONG), ("1", "10", WRONG),
                   ("0.1", "0.01", WRONG), ("12345678901234567", "12345678901234568", WRONG), ("0.30", "3e-1", 0),
                   ("1e99999999999999999999", "1e88888888888888888888", WRONG), ("1e999", "0.1e1000", 0),
                   ("100", "1E+2", 0), ("-0", "0.0", 0), ("0.1", "0.10000000000000001", 0), ("5e-324", "4.9E-324", 0),
                   ("00.5", "0.5", None),
                   ("12345678901234567890.0", "1234567890123456789e1", 0), ('1,"a":2', "1", WRONG),
                   ('1,"a":2', "2", 0)]
        for given, wanted, status in numbers:
            answer = f'{{"a":{given}}}'.encode()
            serve = HTTP2(lambda server, stream, body, answer=answer: server.answer(stream, message(answer)))
            text = "as expected" if status == 0 else "which is not JSON" if status is None else "differs at a"
            with self.subTest(given=given, wanted=wanted):
                self.call(serve, [line(f'{{"a":{wanted}}}')], WRONG if status is None else status, text)

    def test_no_answer(self):
        self.call(HTTP2(lambda *_: None), [grpc(b"abc", "any -")], TIMEOUT, "timeout", patience=1)
        self.call(HTTP2(lambda server, stream, _: server.send(RESET, 0, stream, b"\0\0\0\2")), [grpc(b"abc", "any -")],
                  LOST, "the function ended the call: INTERNAL_ERROR")

        def close(*_):
            raise ConnectionError

        self.call(HTTP2(close), [grpc(b"abc", "any -")], LOST, "receive: Connection reset by peer")
        self.call(HTTP2(lambda server, stream, _: server.connection.sendall(b"\xff" * 100)), [grpc(b"abc", "any -")],
                  LOST, "HTTP/2: the function broke the protocol")

    def test_pings_do_not_put_a_timeout_off(self):
        def respond(server, stream, _):
            while True:
                server.send(PING, 0, 0, bytes(8))
                server.frame()

        self.call(HTTP2(respond), [grpc(b"abc", "any -")], TIMEOUT, "timeout", patience=1)

    def test_an_answer_without_end(self):
        def respond(server, stream, _):
            server.send(HEADERS, END_HEADERS, stream, STATUS_200 + TYPE)
            while True:
                server.send(DATA, 0, stream, bytes(16384))

        self.call(HTTP2(respond), [grpc(b"abc", "any -")], LOST, "answer: Message too long")

    def test_plain_http2(self):
        def respond(server, stream, body):
            server.send(HEADERS, END_HEADERS, stream, STATUS_200)
            for at in range(0, len(body), 9999):
                server.send(DATA, 0, stream, body[at:at + 9999])
            server.send(DATA, END_STREAM, stream)

        self.call(HTTP2(respond), [f"http2 POST /x text/plain {LONG.hex()} bytes {LONG.hex()}",
                                   "http2 GET /x - - bytes -"], times=3)

    def test_http1(self):
        def sized(head, body):
            yield b"HTTP/1.1 100 Continue\r\n\r\n"
            yield b"HTTP/1.1 200 OK\r\ncontent-length:%d\r\n\r\n" % len(body)
            yield body

        def chunked(head, body):
            yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            for at in range(0, len(body), 999):
                part = body[at:at + 999]
                yield b"%x;a=b\r\n" % len(part) + part + b"\r\n"
            yield b"0\r\nTrailer: x\r\n\r\n"

        def closed(head, body):
            yield b"HTTP/1.0 200 OK\r\n\r\n" + body
            yield None

        lines = [f"http1 POST /x text/plain {LONG.hex()} bytes {LONG.hex()}", "http1 GET / - - bytes -"]
        self.assertEqual(self.call(HTTP1(sized), lines, times=3), 1)
        self.assertEqual(self.call(HTTP1(chunked), lines, times=3), 1)
        self.assertEqual(self.call(HTTP1(closed), lines, times=3), 7)

    def test_http1_failures(self):
        lines = ["http1 GET /x - - bytes -"]

        def missing(head, body):
            yield b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"

        self.call(HTTP1(missing), lines, STATUS, "/x() gave status 404 (HTTP 404), not 200")
        self.call(HTTP1(missing), ["http1 GET /x - - status 404"])
        self.call(HTTP1(lambda *_: [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"]), lines, LOST, "this is not a status line")
        self.call(HTTP1(lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno", None]), lines, LOST, "reset")
        self.call(HTTP1(lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\n"]), lines, LOST, "length")
        chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
        self.call(HTTP1(lambda *_: [chunk]), lines, LOST, "a chunk's length is not a number")
        self.call(HTTP1(lambda *_: [b"x" * 10000]), lines, LOST, "a line is too long")

    def test_a_seed_says_which_request_is_next(self):
        def drawn(seed):
            asked = []
            echo = HTTP2(lambda server, stream, body: (asked.append(body[5:]), server.answer(stream, body)))
            lines = [grpc(bytes([n]), f"bytes {n:02x}") for n in range(10)]
            self.call(echo, [f"seed {seed}", *lines] if seed else lines, times=20)
            return asked

        in_turn, one, same, other = drawn(None), drawn(1), drawn(1), drawn(2)
        self.assertEqual(in_turn, [bytes([n]) for n in range(10)] * 20)
        self.assertEqual(one, same)
        self.assertNotEqual(one, other)
        self.assertEqual(set(one), set(in_turn))

    def test_bad_files(self):
        for line, text in (
            ("ftp / - any -", "a line begins with grpc, http1 or http2"),
            ("grpc a.B/C - any -", "a request is incomplete"),
            ("grpc /a.B/C", "a request is incomplete"),
            ("grpc /a.B/C 0g any -", "a body is not hexadecimal"),
            ("grpc /a.B/C 0 any -", "a body is not hexadecimal"),
            ("grpc /a.B/C -", "a request ends with a rule and its value"),
            ("grpc /a.B/C - any - x", "a request ends with a rule and its value"),
            ("grpc /a.B/C - like -", "a rule is bytes, matches, json, status or any"),
            ("grpc /a.B/C - status x", "a status is not a number"),
            ("grpc /a.B/C - matches 28", "a pattern is not a regular expression"),
            ("grpc /a.B/C - json 7b", "an answer is not JSON"),
            ("seed", "seed goes with one number, before the first request"),
            ("grpc /a.B/C - any -\nseed 1", "seed goes with one number, before the first request"),
            ("seed x", "a seed is not a number"),
            ("grpc /a.B/C - any -\nhttp1 GET / - - any -", "http1 goes with no other kind of request"),
        ):
            with self.subTest(line):
                self.expect(make_calls(["usweep-calls 1", *line.split("\n")], 1), LOST, text)
        self.expect(make_calls(["usweep-calls 1"], 1), LOST, "there are no requests")
        for first in ("usweep-calls 2", "15 610"):
            self.expect(make_calls([first], 1), LOST, "the first line is not: usweep-calls 1")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_a_call_only_sends_and_receives(self):
        echo = HTTP2(lambda server, stream, body: server.answer(stream, body))
        trace = pathlib.Path(folder.name, "trace")
        with listening(echo) as (port, _):
            done = make_calls(["usweep-calls 1", grpc(LONG, "any -"), grpc(b"abc", "any -")], port, times=20,
                              before=["strace", "-o", trace])
        self.expect(done, 0, "as expected")
        names = re.findall(r"^(\w+)\(", trace.read_text(), re.M)
        first, last = names.index("sendto"), len(names) - 1 - names[::-1].index("recvfrom")
        self.assertEqual(set(names[first:last]), {"sendto", "recvfrom"})


class PrepareTests(unittest.TestCase):
    def prepare(self, text):
        path = pathlib.Path(folder.name, "requests.json")
        path.write_text(text)
        return subprocess.run([GUEST / "functions/prepare", path, GUEST / "functions/protos"], capture_output=True,
                              text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})

    def test_plain_requests(self):
        done = self.prepare('[{"http1": "POST /x", "type": "text/plain", "body": "ab", "matches": "^c"},'
                            ' {"http2": "GET /", "status": 404}]')
        self.assertEqual(done.stdout.split("\n")[1:3],
                         ["http1 POST /x text/plain 6162 matches 5e63", "http2 GET / - - status 404"])
        done = self.prepare('[{"http1": "GET /x", "json": {"a": [1, null]}}]')
        self.assertEqual(done.stdout.split("\n")[1],
                         "http1 GET /x - - json " + b'{"a":[1,null]}'.hex())

    def test_what_is_wrong_is_named(self):
        for text, problem in (
            ('[{"http1": "GET /"}]', "request 1: exactly one of answer, matches, json and status is needed"),
            ('[{"x": 1}]', "request 1: one of grpc, http1 and http2 is needed"),
            ('[{"grpc": "aes.Aes/Show", "proto": "aes.proto"}]', "aes.proto has no method aes.Aes/Show"),
        ):
            with self.subTest(text):
                done = self.prepare(text)
                self.assertEqual(done.returncode, 1)
                self.assertIn(problem, done.stderr)


if __name__ == "__main__":
    unittest.main()
