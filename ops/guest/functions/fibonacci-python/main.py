"""The n-th number of Fibonacci, by the slow definition: calls and branches."""
import fibonacci_pb2 as pb
import grpc
import serve

MOST = 30


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def say_hello(request, context):
    n = int(request.name) if request.name.isdecimal() else -1
    if not 0 <= n <= MOST:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the name is not a number from 0 to {MOST}")
    return pb.HelloReply(message=str(fibonacci(n)))


serve.listen(50051, "fibonacci.Greeter", {"SayHello": (say_hello, pb.HelloRequest)})
