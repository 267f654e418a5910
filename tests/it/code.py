"""Tries to connect where its event says, and tells what came of it."""
import os
import socket
import urllib.request


def attempt(host, port):
    try:
        with socket.create_connection((host, port), 10) as connection:
            connection.sendall(b"GET /raw HTTP/1.0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while some := connection.recv(65536):
                answer += some
            return "said " + answer.decode().rpartition("\r\n")[2]
    except OSError as error:
        return type(error).__name__


def reach(event, context):
    tried = {f"{host}:{port}": attempt(host, port) for host, port in event["to"]}
    if "url" in event:
        with urllib.request.urlopen(event["url"]) as answer:
            tried["url"] = answer.read().decode()
    return tried


def start(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
