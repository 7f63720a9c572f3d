"""The n-th number of Fibonacci, by the slow definition: calls and branches."""


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def answer(name):
    return str(fibonacci(int(name)))
