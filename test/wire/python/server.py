"""A server of gRPC's C core for the plugin: no generated code, messages are bytes.

server.py SOCKET: prints "ready", then one line for each thing that a test waits for. What it does with a call, the call
says itself, by a word in its CNI_ARGS.
"""
import json
import os
import sys
import threading
from concurrent import futures

import grpc


def varint(number):
    out = b''
    while number > 127:
        out += bytes([number % 128 + 128])
        number //= 128
    return out + bytes([number])


def result(content):
    """terway.cni.v1.Outcome with a result."""
    return b'\x0a' + varint(len(content)) + content


def say(word):
    print(word, flush=True)


def answer(request, context):
    if b'want=large' in request:
        return result(b'x' * 1_000_000)
    if b'want=status' in request:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, 'käse: 日本 100 %')
    if b'want=unavailable' in request:
        context.abort(grpc.StatusCode.UNAVAILABLE, 'not yet')
    if b'want=silence' in request:
        ended = threading.Event()
        context.add_callback(ended.set)
        say('waiting')
        ended.wait(30)
        say('cancelled' if not context.is_active() else 'still active')
        return result(b'late')
    if b'want=death' in request:
        os._exit(1)
    if b'want=stop' in request:
        server.stop(0)
        threading.Event().wait(5)
    if b'want=metadata' in request:
        context.send_initial_metadata((('x-first', 'a'), ('x-first-bin', bytes(range(256)))))
        context.set_trailing_metadata((('x-last', 'z' * 3000), ('x-last-bin', b'\x00')))
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        return result(json.dumps({'metadata': metadata, 'remaining': context.time_remaining()}).encode())
    return result(request)


class Methods(grpc.GenericRpcHandler):
    def service(self, details):
        if not details.method.startswith('/terway.cni.v1.Cni/'):
            return None
        return grpc.unary_unary_rpc_method_handler(answer)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers((Methods(),))
if server.add_insecure_port('unix:' + sys.argv[1]) == 0:
    sys.exit('cannot listen on ' + sys.argv[1])
server.start()
say('ready')
server.wait_for_termination()
