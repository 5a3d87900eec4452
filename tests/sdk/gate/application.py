"""An application that knows nothing of sessions: it repeats what it is asked, as JSON, and whatever a WebSocket sends."""

import base64
import hashlib
import http.server
import json
import sys


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.open_socket()
        length = int(self.headers.get("Content-Length") or 0)
        asked = {"method": self.command, "path": self.path, "headers": self.headers.items()}
        body = json.dumps({**asked, "body": self.rfile.read(length).decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def open_socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        # Not the protocol: proxies pass on bytes.
        self.wfile.write(self.headers.get("X-Sessiond-User-Id", "").encode() + b"\n")
        self.wfile.write(self.rfile.readline())
        self.close_connection = True

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer.request_queue_size = 256
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Application).serve_forever()
