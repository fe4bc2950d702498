"""Records anew what NGINX and Apache log: `python -m tests.clients.web_servers.record_lines`.

Runs the configurations of docs/start/web_servers.md on 127.0.0.1, and writes recorded_lines.json.
Both must be installed.
"""

import json
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.clients.web_servers.browser_requests import RECORDED, REQUESTS, BrowserRequest, Recorded
from tests.clients.web_servers.log_lines import documented_configuration

PORT = 18_080

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; access_log off;
  {of_http}
  server {{ listen 127.0.0.1:{port}; {of_server} }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/errors
DocumentRoot {folder}/pages
Mutex file:{folder}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule unique_id_module /usr/lib/apache2/modules/mod_unique_id.so
User www-data
Group www-data
{configuration}
"""


def of_nginx(folder: Path, documented: str) -> str:
    here = documented.replace("/var/log/nginx/", f"{folder}/")
    of_http, location, of_server = here.partition("location ")
    return NGINX.format(folder=folder, port=PORT, of_http=of_http, of_server=location + of_server)


def of_apache(folder: Path, documented: str) -> str:
    here = documented.replace("/var/log/httpd/", f"{folder}/")
    return APACHE.format(folder=folder, port=PORT, configuration=here)


def line_for(
    request: BrowserRequest, command: list[str], configuration: Callable[[Path], str], stop: int
) -> str | None:
    """A server of its own for each request: what stands in its log is that request's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "pages").mkdir()
        (folder / "configuration").write_text(configuration(folder))
        server = subprocess.Popen([*command, str(folder / "configuration")])
        answer = ask(request)
        server.send_signal(stop)
        server.wait(timeout=30)
        assert answer.startswith(b"HTTP/1.1 "), answer
        lines = (folder / "clicks.log").read_bytes().splitlines()
        assert len(lines) <= 1
        return lines[0].decode("utf-8", "surrogateescape") if lines else None


def ask(request: BrowserRequest) -> bytes:
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", PORT), timeout=10)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    cookie = f"Cookie: {request.cookie}\r\n" if request.cookie else ""
    head = f" HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: 0\r\nConnection: close\r\n\r\n"
    with connection:
        connection.sendall(request.method.encode() + b" " + request.target + head.encode())
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    [number] = re.findall(r"(?:nginx|Apache)/(\S+)", said.stdout + said.stderr)
    return str(number)


def record(server: str, command: list[str], stop: int) -> Recorded:
    documented = documented_configuration(server)
    configured = {"nginx": of_nginx, "apache": of_apache}[server]

    def configuration(folder: Path) -> str:
        return configured(folder, documented)

    return {
        "version": version([command[0], "-v"]),
        "configuration": documented,
        "lines": {name: line_for(each, command, configuration, stop) for name, each in REQUESTS.items()},
    }


if __name__ == "__main__":
    found = {
        "nginx": record("nginx", ["nginx", "-c"], signal.SIGQUIT),
        "apache": record("apache", ["apache2", "-D", "FOREGROUND", "-f"], signal.SIGWINCH),
    }
    RECORDED.write_text(json.dumps(found, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
