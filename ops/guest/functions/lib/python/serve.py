"""What all functions in Python have in common: a gRPC server of one thread."""
import os
from concurrent import futures

import grpc


def listen(port, service, methods):
    """Serves methods (from a name to (function, request class)) at $LISTEN, or else at the port, until the end."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            function, request_deserializer=request.FromString,
            response_serializer=lambda message: message.SerializeToString())
        for name, (function, request) in methods.items()
    }
    address = os.environ.get("LISTEN", f"0.0.0.0:{port}")
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    if server.add_insecure_port(address) == 0:
        raise SystemExit(f"cannot listen on {address}")
    server.start()
    print(f"serving at {address}", flush=True)
    server.wait_for_termination()
