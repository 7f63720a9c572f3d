"""One function behind gRPC: helloworld.Greeter/SayHello, a name in, a message out.

    server.py MODULE ADDRESS
"""
import importlib
import sys
from concurrent import futures

import grpc


def decode_name(data):
    """Field 1 (a string) of a HelloRequest, in the wire format of protocol buffers."""
    position, name = 0, ""
    while position < len(data):
        tag, position = decode_number(data, position)
        if tag & 7 != 2:
            raise ValueError("HelloRequest has string fields only")
        length, position = decode_number(data, position)
        if position + length > len(data):
            raise ValueError("HelloRequest is cut short")
        if tag >> 3 == 1:
            name = data[position:position + length].decode()
        position += length
    return name


def decode_number(data, position):
    number, shift = 0, 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7


def encode_message(message):
    """A HelloReply: its field 1 is the message."""
    text, length = message.encode(), bytearray()
    size = len(text)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    length.append(size)
    return b"\x0a" + bytes(length) + text


def main():
    function, address = importlib.import_module(sys.argv[1]), sys.argv[2]
    handler = grpc.unary_unary_rpc_method_handler(
        lambda name, context: function.answer(name),
        request_deserializer=decode_name,
        response_serializer=encode_message,
    )
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    service = grpc.method_handlers_generic_handler("helloworld.Greeter", {"SayHello": handler})
    server.add_generic_rpc_handlers((service,))
    if server.add_insecure_port(address) == 0:
        sys.exit("cannot listen on " + address)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
