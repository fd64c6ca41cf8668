"""A client of gRPC's C core for the daemon's server: client.py SOCKET METHOD TIMEOUT.

Sends standard input as the message and prints the reply as it is, or the name of the status and its details on standard
error.
"""
import sys

import grpc

_, socket, method, timeout = sys.argv
with grpc.insecure_channel('unix:' + socket) as channel:
    try:
        reply = channel.unary_unary(method)(sys.stdin.buffer.read(), timeout=float(timeout))
        sys.stdout.buffer.write(reply)
    except grpc.RpcError as error:
        sys.exit(error.code().name + ' ' + error.details())
