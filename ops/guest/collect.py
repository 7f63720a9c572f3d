"""Copies what the functions import, compiled, into a container's root file system.

collect TREE ROOT FUNCTIONS ...   every module that the functions load once they have served a call
compile FOLDER FILE...            the functions themselves

Prints the shared objects among the modules: their libraries must be copied, too. Code is compiled without
times in it, so that the same packages give the same bytes.
"""
import os
import py_compile
import shutil
import sys


def compile_into(source, target, shown):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    py_compile.compile(source, cfile=target, dfile=shown, doraise=True,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def serve_one_call(functions):
    """Loads all that serving takes: some modules are imported only when they are first used."""
    sys.path.insert(0, functions)
    import grpc
    import server
    from concurrent import futures
    for file in sorted(os.listdir(functions)):
        if file.endswith(".calls"):
            __import__(file[:-6])
    handler = grpc.unary_unary_rpc_method_handler(
        lambda name, context: name,
        request_deserializer=server.decode_name, response_serializer=server.encode_message)
    host = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    host.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("a.B", {"C": handler}),))
    port = host.add_insecure_port("127.0.0.1:0")
    host.start()
    channel = grpc.insecure_channel("127.0.0.1:%d" % port)
    channel.unary_unary("/a.B/C")(b"\x0a\x01x", timeout=20)
    channel.close()
    host.stop(0).wait()


def collect(tree, root, functions):
    serve_one_call(functions)
    import encodings.ascii  # what the interpreter falls back to without a locale
    import encodings.latin_1
    import encodings.utf_8
    functions = os.path.abspath(functions)
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for file in sorted(file for file in files if file and os.path.isabs(file)):
        place = "/" + os.path.relpath(os.path.abspath(file), tree or "/")
        if file.startswith(functions) or not place.startswith("/usr/lib/"):
            continue
        if file.endswith(".py"):
            compile_into(file, root + place + "c", place)
        else:
            os.makedirs(os.path.dirname(root + place), exist_ok=True)
            shutil.copy(file, root + place)
            print(place)


def main():
    if sys.argv[1] == "compile":
        for file in sys.argv[3:]:
            name = os.path.basename(file)
            compile_into(file, os.path.join(sys.argv[2], name + "c"), "/function/" + name)
    else:
        collect(sys.argv[2], sys.argv[3], sys.argv[4])


if __name__ == "__main__":
    main()
