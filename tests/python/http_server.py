"""A server on a free port of this machine, whose answers a test decides."""

import http.server
import json
import threading


class Server:
    """Answers by `script`, a list of functions of the handler and the request, and by `usual` when that is empty."""

    def __init__(self, usual, context=None):
        self.script = []
        self.requests = []
        self.lock = threading.Lock()
        self.active = self.most_active = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                with outer.lock:
                    outer.active += 1
                    outer.most_active = max(outer.most_active, outer.active)
                try:
                    body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                    with outer.lock:
                        outer.requests.append((self.path, dict(self.headers), body))
                        act = outer.script.pop(0) if outer.script else usual
                    act(self, body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with outer.lock:
                        outer.active -= 1

            def answer(self, status, body, **headers):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # clients hang up when they do not trust the certificate

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def url(self, scheme="http", path="/v1", host="127.0.0.1", model="#letters"):
        return f"{scheme}://{host}:{self.port}{path}{model}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
