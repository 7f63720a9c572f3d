"""Requests of the fibonacci functions. The answers are computed by addition, not by recursion."""
import json


def number(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def call(name, **expected):
    return {"grpc": "fibonacci.Greeter/SayHello", "proto": "fibonacci.proto", "request": {"name": name}, **expected}


calls = [call(str(n), answer={"message": str(number(n))}) for n in (10, 13, 15, 17)]
print(json.dumps(calls + [call("a word", status=3)], indent=1))
